#include "control/health_check.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "control/circuits.h"
#include "control/control.h"
#include "control/health_event.h"
#include "control/health_judge.h"
#include "control/probe.h"
#include "control/probe_target.h"
#include "guard/effective.h"
#include "script/vm_health.h"

#include <stdlib.h>

static void on_done(void *arg, const struct probe_result *result);

static const char standard_policy[] = "default";

/* Writes a line whose message ends with the route and, where there is one, the URL. */
static void log_check(const struct health *h, const char *what, const char *url)
{
    const struct health_plan *plan = &h->plan;
    char *msg;

    msg = need_printf("[registry-v2] Health check %s for %s%s%s", what, h->state->route_id, url ? ": " : "",
                      url ? url : "");
    log_write(
        LOG_INFO, msg, "service=%s instance=%s kind=%s interval_ms=%llu timeout_ms=%llu policy=%s",
        h->state->service, h->state->instance, health_kind_name(plan->kind),
        (unsigned long long)plan->interval_ms, (unsigned long long)plan->timeout_ms, plan->policy);
    free(msg);
}

/* ---- time */

static void set_timer(struct health *h, uint64_t ms)
{
    ev_timer_stop(h->control->loop, &h->timer);
    ev_timer_set(&h->timer, (double)ms / 1e3, 0);
    ev_timer_start(h->control->loop, &h->timer);
}

/* From when three intervals count; 0: nothing has started. */
static uint64_t overdue_since(const struct health *h)
{
    return h->ended_ms ? h->ended_ms : h->started_ms;
}

bool health_check_overdue(const struct health *h, uint64_t now_ms)
{
    uint64_t since = overdue_since(h);

    return since && now_ms > since + HEALTH_OVERDUE_INTERVALS * h->plan.interval_ms;
}

/* Says once that no check ends in time, until one does again. */
static void note_lateness(struct health *h, uint64_t now_ms)
{
    bool late = health_check_overdue(h, now_ms);

    if (late && !h->overdue_logged)
        log_write(LOG_WARN, "[registry-v2] Health check overdue",
                  "route=%s service=%s instance=%s url=%s waited_ms=%llu", h->state->route_id,
                  h->state->service, h->state->instance, h->plan.url,
                  (unsigned long long)(now_ms - overdue_since(h)));
    h->overdue_logged = late;
}

static void start(struct health *h)
{
    uint64_t now_ms = clock_ms(), overdue_ms;

    CHECK(!h->probe);
    h->started_ms = now_ms;
    h->probe = probe_run(h->target, h->plan.timeout_ms, on_done, h);
    /* The timer is for those only that may take as long. */
    overdue_ms = overdue_since(h) + HEALTH_OVERDUE_INTERVALS * h->plan.interval_ms + 1;
    if (now_ms + h->plan.timeout_ms >= overdue_ms)
        set_timer(h, overdue_ms > now_ms ? overdue_ms - now_ms : 0);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct health *h = w->data;

    (void)loop;
    (void)revents;
    if (h->probe)
        note_lateness(h, clock_ms());
    else
        start(h);
}

static void on_turn(struct health_turn *turn)
{
    start(CONTAINER_OF(turn, struct health, turn));
}

/* A default check of a member that is down comes more often: nobody asked for its long interval, and
 * two passes are needed. */
static uint64_t interval_ms(const struct health *h)
{
    bool hurry = h->plan.kind == HEALTH_DEFAULT && route_state_health(h->state) == ROUTE_HEALTH_DOWN;

    return hurry ? h->plan.interval_ms / HEALTH_DOWN_HURRY : h->plan.interval_ms;
}

static void schedule(struct health *h, uint64_t now_ms)
{
    uint64_t next_ms =
        h->started_ms + health_pace_jitter(h->control->health_pace, interval_ms(h));

    set_timer(h, next_ms > now_ms ? next_ms - now_ms : 0);
}

/* ---- results */

static void note_result(struct health *h, const struct probe_result *result, bool passed)
{
    health_history_add(&h->history, passed);
    h->checks++;
    h->failures += !passed;
    h->last_wall_ms = clock_wall_ms();
    h->last_latency_ms = result->elapsed_ms;
    if (passed)
        snprintf(h->last_result, sizeof(h->last_result), "passed");
    else if (result->reachable)
        snprintf(h->last_result, sizeof(h->last_result), "status_%d", result->status);
    else
        snprintf(h->last_result, sizeof(h->last_result), "%s", probe_cause_token(result->cause));
}

const char *health_check_policy(const struct health *h)
{
    return vm_has_policy(h->control->vm, h->plan.policy) ? h->plan.policy : standard_policy;
}

static enum route_health to_route_health(enum health_answer answer)
{
    static const enum route_health healths[] = {
        [HEALTH_ANSWER_HEALTHY] = ROUTE_HEALTH_HEALTHY,
        [HEALTH_ANSWER_DEGRADED] = ROUTE_HEALTH_DEGRADED,
        [HEALTH_ANSWER_DOWN] = ROUTE_HEALTH_DOWN,
    };

    return healths[answer];
}

static uint32_t to_effective_share(double share)
{
    uint32_t part = (uint32_t)(share * EFFECTIVE_ALL);

    return part ? part : 1;
}

/* The answer holds from now on, for workers, circuit, log and subscribers. */
static void take_answer(struct health *h, const struct health_judgement *answer, uint64_t now_ms)
{
    enum route_health before = route_state_health(h->state), now = to_route_health(answer->answer);

    h->judgement = *answer;
    route_state_set_health(h->state, now, to_effective_share(answer->share));
    if (now == before)
        return;
    if (h->history.count > 1)
        health_history_mark_change(&h->history);
    h->since_ms = now_ms;
    h->since_wall_ms = clock_wall_ms();
    if (now == ROUTE_HEALTH_DOWN)
        circuits_hold(h->control, h->state);
    else if (before == ROUTE_HEALTH_DOWN)
        circuits_unhold(h->control, h->state);
    health_announce(h, before);
}

static void on_done(void *arg, const struct probe_result *result)
{
    struct health *h = arg;
    bool passed = result->reachable && health_plan_passes(&h->plan, result->status);
    uint64_t now_ms = clock_ms();
    struct health_judgement answer;
    struct health_facts facts;

    h->probe = NULL;
    note_lateness(h, now_ms);
    h->ended_ms = now_ms;
    note_result(h, result, passed);
    facts = (struct health_facts){
        .history = h->history,
        .state = h->judgement.answer,
        .state_ms = now_ms - h->since_ms,
        .latency_ms = h->last_latency_ms,
        .status = result->status,
        .error = passed ? NULL : h->last_result,
    };
    answer = health_judge(h->control->vm, health_check_policy(h), &facts, &h->judgement, &h->judged);
    take_answer(h, &answer, now_ms);
    schedule(h, now_ms);
}

/* ---- start and end */

struct health *health_check_new(struct control *c, struct route_state *s, struct health_plan *plan)
{
    struct health *h = need_zeroed(1, sizeof(*h));
    struct error err;

    ASSERT_CONTROL();
    CHECK(plan->kind != HEALTH_OFF);
    h->control = c;
    h->state = s;
    h->plan = *plan;
    *plan = (struct health_plan){0};
    h->target = probe_target_new(c, slice_str(h->plan.url), &h->plan.tls, &err);
    if (!h->target) {
        log_write(LOG_ERROR, "[registry-v2] Health check not possible",
                  "route=%s service=%s instance=%s url=\"%s\" reason=\"%s\"", s->route_id, s->service,
                  s->instance, h->plan.url, err.text);
        health_plan_fini(&h->plan);
        free(h);
        return NULL;
    }
    h->since_ms = clock_ms();
    h->since_wall_ms = clock_wall_ms();
    list_init(&h->turn.link);
    h->turn.run = on_turn;
    ev_init(&h->timer, on_timer);
    h->timer.data = h;
    log_check(h, "registered", h->plan.url);
    if (health_check_policy(h) != h->plan.policy)
        log_write(LOG_WARN, "[registry-v2] Unknown health policy, default is used",
                  "route=%s service=%s instance=%s policy=%s", s->route_id, s->service, s->instance,
                  h->plan.policy);
    health_pace_wait(c->health_pace, &h->turn);
    return h;
}

void health_check_replan(struct health *h, struct health_plan *plan)
{
    ASSERT_CONTROL();
    CHECK(h->plan.kind == plan->kind && strcmp(h->plan.url, plan->url) == 0);
    health_plan_fini(&h->plan);
    h->plan = *plan;
    *plan = (struct health_plan){0};
    if (!h->probe && h->started_ms)
        schedule(h, clock_ms());
}

void health_check_free(struct health *h)
{
    ASSERT_CONTROL();
    if (!h->control->stopping)
        log_check(h, "removed", NULL);
    health_pace_leave(&h->turn);
    ev_timer_stop(h->control->loop, &h->timer);
    probe_cancel(&h->probe);
    probe_target_free(h->target);
    health_plan_fini(&h->plan);
    free(h);
}
