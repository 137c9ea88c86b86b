/* Failures of scripts in service, and going back to the generation before. */
#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "control/control.h"
#include "control/scripts_state.h"
#include "control/scripts_tell.h"
#include "worker/worker.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- going back */

static void log_given_up(const struct scripts *s, const struct bundle *bad)
{
    char *msg;

    msg = need_printf("[scripts] generation %llu fails in service, back to generation %llu",
                   (unsigned long long)bad->generation,
                   (unsigned long long)s->serving->generation);
    log_write(LOG_ERROR, msg, "failures=%llu window_ms=%llu last=\"%s\"",
              (unsigned long long)s->control->settings->rollback_failures,
              (unsigned long long)s->control->settings->rollback_window_ms,
              s->taken_back.error.text);
    free(msg);
}

static void say_stuck(struct scripts *s)
{
    if (!s->told_stuck)
        log_write(LOG_ERROR, "[scripts] fail in service, and there is no generation to go back to",
                  "generation=%llu last=\"%s\"", (unsigned long long)s->serving->generation,
                  s->failed.error.text);
    s->told_stuck = true;
}

void scripts_go_back(struct scripts *s)
{
    struct bundle *good = s->last_good, *bad;
    struct page_book *pages;
    struct error err;
    struct vm *vm = good ? scripts_try(s, good, &pages, &err) : NULL;

    s->give_up = false;
    s->last_good = NULL;
    if (!vm) {
        bundle_unref(good);
        say_stuck(s);
        return;
    }
    s->taken_back = s->failed;
    s->taken_back_generation = s->serving->generation;
    bad = scripts_put_in_service(s, good, vm, pages);
    scripts_keep(&s->bad, bundle_ref(bad));
    s->bad_in_service = true;
    log_given_up(s, bad);
    scripts_announce(s, bad, bad->generation);
}

/* ---- failures in service */

bool scripts_too_many(const struct control *c, struct failure_window *w)
{
    const struct settings *settings = c->settings;
    uint64_t requests = 0, failures = 0, now_ms = clock_ms();

    failure_window_add(w, true, settings->rollback_window_ms, now_ms);
    failure_window_sum(w, settings->rollback_window_ms, now_ms, &requests, &failures);
    return settings->rollback_failures && failures >= settings->rollback_failures;
}

unsigned scripts_failures(const struct control *c)
{
    uint64_t requests = 0, failures = 0;

    failure_window_sum(&c->scripts->failures, c->settings->rollback_window_ms, clock_ms(),
                       &requests, &failures);
    return (unsigned)failures;
}

void scripts_note_failure(struct control *c, const char *what, const struct error *err)
{
    struct scripts *s = c->scripts;
    struct error reason;

    ASSERT_CONTROL();
    if (!s)
        return; /* --check */
    scripts_fault_set(&s->failed, err);
    reason = s->failed.error;
    error_set(&s->failed.error, "%s: %s", what, reason.text);
    if (!scripts_too_many(c, &s->failures) || c->stopping)
        return;
    s->give_up = true;
    scripts_take_turn(s);
}

static void note_off(struct control *c, const char *kind, const char *policy, const char *without,
                     const struct error *err)
{
    struct scripts_fault fault;
    char what[96];

    scripts_fault_set(&fault, err);
    scripts_tell_policy_off(c->scripts, kind, policy, without, &fault);
    snprintf(what, sizeof(what), "%s policy %s", kind, policy);
    scripts_note_failure(c, what, err);
}

void scripts_note_policy_off(struct control *c, const char *policy, const struct error *err)
{
    note_off(c, "health", policy, "rise and fall decide", err);
}

void scripts_on_policy_notice(struct message *m)
{
    struct policy_notice *notice = CONTAINER_OF(m, struct policy_notice, message);
    const struct hook_end *end = &notice->end;
    struct control *c = notice->control;

    ASSERT_CONTROL();
    if (c->scripts && c->scripts->serving->generation == end->generation)
        note_off(c, "request", end->policy, end->closed ? "requests are refused" : "requests pass",
                 &end->error);
    free(notice);
}
