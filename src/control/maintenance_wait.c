#include "control/maintenance_wait.h"

#include "base/clock.h"
#include "base/late.h"
#include "base/map.h"
#include "base/need.h"
#include "control/backend_tls.h"
#include "control/control.h"
#include "control/probe.h"

#include <stdlib.h>

enum {
    PROBES = 16,            /* at a time */
    PROBE_TIMEOUT_MS = 5000 /* of one */
};

/* What is probed. */
struct goal {
    char *url;
    struct backend_tls_choice tls; /* with texts of its own */
};

/* A place for one probe that runs. */
struct place {
    struct maintenance_wait *wait;
    struct probe *probe; /* NULL: free */
};

struct maintenance_wait {
    struct control *control;
    maintenance_gather *gather;
    maintenance_ready *ready; /* or NULL */
    void (*done)(void *arg, const char *failure);
    void *arg;
    char failure[192]; /* the last one */
    uint64_t round_ms; /* when the last round began */
    ev_timer next;     /* the next round */
    ev_timer deadline;
    /* the round */
    struct map *goals; /* by URL and TLS, struct goal */
    size_t cursor;     /* in goals: what comes next */
    unsigned running;
    struct place places[PROBES];
};

static void goal_free(struct goal *goal)
{
    free(goal->url);
    backend_tls_choice_fini(&goal->tls);
    free(goal);
}

static void free_goals(struct maintenance_wait *w)
{
    size_t cursor = 0;
    void *goal;

    while (w->goals && map_next(w->goals, &cursor, NULL, &goal))
        goal_free(goal);
    map_free(w->goals);
    w->goals = NULL;
}

/* Ends what is left of the round. */
static void end_round(struct maintenance_wait *w)
{
    for (unsigned i = 0; i < PROBES; i++)
        probe_cancel(&w->places[i].probe);
    w->running = 0;
    free_goals(w);
}

static void wait_free(struct maintenance_wait *w)
{
    end_round(w);
    ev_timer_stop(w->control->loop, &w->next);
    ev_timer_stop(w->control->loop, &w->deadline);
    free(w);
}

static void finish(struct maintenance_wait *w, bool reachable)
{
    void (*done)(void *, const char *) = w->done;
    char failure[sizeof(w->failure)];
    void *arg = w->arg;

    memcpy(failure, w->failure, sizeof(failure));
    wait_free(w);
    done(arg, reachable ? NULL : failure);
}

static void try_again(struct maintenance_wait *w)
{
    uint64_t passed_ms = clock_ms() - w->round_ms;
    uint64_t interval_ms = w->control->settings->maintenance_interval_ms;

    end_round(w);
    ev_timer_set(&w->next, passed_ms < interval_ms ? (double)(interval_ms - passed_ms) / 1e3 : 0,
                 0);
    ev_timer_start(w->control->loop, &w->next);
}

static void on_probed(void *arg, const struct probe_result *result);

static struct probe *start_probe(struct place *place, const struct goal *goal, struct error *err)
{
    return probe_start(place->wait->control, slice_str(goal->url), &goal->tls, PROBE_TIMEOUT_MS, on_probed, place, err);
}

/* Starts as many probes as may run; the end of the round when all have ended well. */
static void go_on(struct maintenance_wait *w)
{
    struct error ignored;
    void *next;

    for (unsigned i = 0; i < PROBES; i++) {
        struct place *place = &w->places[i];

        if (place->probe)
            continue;
        if (!map_next(w->goals, &w->cursor, NULL, &next))
            break;
        place->probe = start_probe(place, next, &ignored);
        CHECK(place->probe); /* its URL was checked when it was set */
        w->running++;
    }
    if (w->running > 0)
        return;
    if (!w->ready || w->ready(w->arg)) {
        finish(w, true);
        return;
    }
    snprintf(w->failure, sizeof(w->failure), "the health check has not passed yet");
    try_again(w);
}

static void on_probed(void *arg, const struct probe_result *result)
{
    struct place *place = arg;
    struct maintenance_wait *w = place->wait;

    place->probe = NULL;
    w->running--;
    if (result->reachable && result->status < 500) {
        go_on(w);
        return;
    }
    if (result->reachable)
        snprintf(w->failure, sizeof(w->failure), "answered %d", result->status);
    else
        snprintf(w->failure, sizeof(w->failure), "%s", result->error);
    try_again(w);
}

static void on_next(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct maintenance_wait *w = timer->data;

    (void)loop;
    (void)revents;
    w->round_ms = clock_ms();
    w->goals = map_new();
    w->cursor = 0;
    w->gather(w->arg, w);
    go_on(w);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)revents;
    if (!late_put_off(loop, timer))
        finish(timer->data, false);
}

struct maintenance_wait *maintenance_wait_start(struct control *c, maintenance_gather *gather,
                                                maintenance_ready *ready,
                                                void (*done)(void *arg, const char *failure),
                                                void *arg)
{
    struct maintenance_wait *w = need_zeroed(1, sizeof(*w));

    ASSERT_CONTROL();
    w->control = c;
    w->gather = gather;
    w->ready = ready;
    w->done = done;
    w->arg = arg;
    snprintf(w->failure, sizeof(w->failure), "no answer yet");
    for (unsigned i = 0; i < PROBES; i++)
        w->places[i].wait = w;
    ev_timer_init(&w->next, on_next, 0, 0);
    ev_timer_init(&w->deadline, on_deadline, (double)c->settings->maintenance_timeout_ms / 1e3, 0);
    late_init(&w->deadline);
    w->next.data = w->deadline.data = w;
    ev_timer_start(c->loop, &w->next);
    ev_timer_start(c->loop, &w->deadline);
    return w;
}

void maintenance_wait_for(struct maintenance_wait *w, const char *url, const struct backend_tls_choice *tls)
{
    struct goal *goal = need_zeroed(1, sizeof(*goal)), *before;
    char *key = need_printf("%s %d %s %s %s", url, tls->verify, tls->authority ? tls->authority : "",
                            tls->certificate ? tls->certificate : "", tls->server_name ? tls->server_name : "");

    goal->url = need_text(url);
    goal->tls = backend_tls_copy(tls);
    before = map_set(w->goals, slice_str(key), goal);
    if (before)
        goal_free(before);
    free(key);
}

void maintenance_wait_cancel(struct maintenance_wait **w)
{
    ASSERT_CONTROL();
    if (*w)
        wait_free(*w);
    *w = NULL;
}
