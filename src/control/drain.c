#include "control/drain.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "control/control.h"
#include "control/event_json.h"

#include <stdlib.h>

enum {
    POLL_MS = 20, /* between two looks at what is in flight, and from the end to the first:
                   * a worker's time may be a loop turn behind */
    ROUTES_TEXT = 32 * 1024 /* bytes of route ids in an event, which has to fit into a line */
};

/* One route in the drain. */
struct drained {
    struct list link; /* in drain.routes */
    struct route_state *state;
    uint64_t turned_before; /* turned away by drains before this one */
    bool removed;           /* was no live route any more when last looked at */
};

struct drain {
    struct session *session;
    uint64_t start_ms; /* 0: no drain now */
    uint64_t start_wall_ms;
    uint64_t length_ms;
    bool completed;
    struct list routes;
    uint64_t turned_gone; /* turned away by routes that were removed and let go */
    ev_timer timer;       /* until completed: when to look next */
};

static void set_timer(struct drain *d, uint64_t ms)
{
    struct ev_loop *loop = d->session->control->loop;

    ev_timer_stop(loop, &d->timer);
    ev_timer_set(&d->timer, (double)ms / 1000.0, 0.);
    ev_timer_start(loop, &d->timer);
}

static uint64_t turned_away(const struct drained *route)
{
    return route_state_turned_by_drain(route->state) - route->turned_before;
}

static uint64_t turned_away_by_all(const struct drain *d)
{
    uint64_t sum = d->turned_gone;
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &d->routes)
        sum += turned_away(CONTAINER_OF(node, struct drained, link));
    return sum;
}

static void log_drain(const struct drain *d, const char *what)
{
    const struct session *s = d->session;

    log_write(LOG_INFO, what,
              "session=%.8s service=%s instance=%s duration_ms=%llu routes=%u turned_away=%llu",
              s->id, s->service, s->instance, (unsigned long long)d->length_ms,
              config_set_route_count(s->live), (unsigned long long)turned_away_by_all(d));
}

/* ---- completion */

static void put_routes(struct event_json *json, const struct config_set *live)
{
    size_t start = event_json_length(json);
    unsigned omitted = 0;
    struct list *node, *tmp;

    event_json_open_list(json, "routes");
    LIST_EACH (node, tmp, &live->routes) {
        if (event_json_length(json) - start > ROUTES_TEXT)
            omitted++;
        else
            event_json_item(json, CONTAINER_OF(node, struct route_entry, link)->id);
    }
    event_json_close_list(json);
    if (omitted)
        event_json_number(json, "routes_omitted", omitted);
}

static void send_completed(const struct drain *d)
{
    const struct session *s = d->session;
    struct event_json json;

    event_json_begin(&json);
    event_json_service(&json, s);
    put_routes(&json, s->live);
    event_json_time(&json, "started_at", d->start_wall_ms);
    event_json_number(&json, "duration_seconds", (double)((d->length_ms + 999) / 1000));
    event_json_number(&json, "requests_turned_away", (double)turned_away_by_all(d));
    event_json_send(&json, s->control, EVENT_DRAIN_COMPLETED, s);
}

static bool is_busy(const struct drain *d)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &d->routes) {
        if (route_state_in_flight(CONTAINER_OF(node, struct drained, link)->state))
            return true;
    }
    return false;
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct drain *d = w->data;
    uint64_t look_ms = d->start_ms + d->length_ms + POLL_MS, now_ms = clock_ms();

    (void)loop;
    (void)revents;
    if (now_ms < look_ms) {
        set_timer(d, look_ms - now_ms);
    } else if (is_busy(d)) {
        set_timer(d, POLL_MS);
    } else {
        d->completed = true;
        log_drain(d, "[registry-v2] Drain completed");
        send_completed(d);
    }
}

/* ---- routes */

static void cover(struct drain *d, struct route_state *state)
{
    struct drained *route = need_zeroed(1, sizeof(*route));

    route->state = route_state_ref(state);
    route->turned_before = route_state_turned_by_drain(state);
    list_push_back(&d->routes, &route->link);
    route_state_set_drain(state, d->start_ms, d->length_ms);
}

static void let_go(struct drained *route)
{
    list_remove(&route->link);
    route_state_unref(route->state);
    free(route);
}

/* A removed route matters only as long as requests are in flight there. It is looked at twice, as
 * the workers learn of the removal after the first time. */
static void let_go_of_removed(struct drain *d)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &d->routes) {
        struct drained *route = CONTAINER_OF(node, struct drained, link);

        if (route->state->session == d->session)
            continue;
        if (route->removed && !route_state_in_flight(route->state)) {
            d->turned_gone += turned_away(route);
            let_go(route);
            continue;
        }
        route->removed = true;
    }
}

void drain_sync(struct session *s)
{
    struct drain *d = s->drain;
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (!d || !d->start_ms)
        return;
    LIST_EACH (node, tmp, &s->live->routes) {
        struct route_state *state = CONTAINER_OF(node, struct route_entry, link)->state;

        if (route_state_drain(state).start_ms != d->start_ms)
            cover(d, state);
    }
    let_go_of_removed(d);
}

/* ---- what commands do */

static struct drain *drain_new(struct session *s)
{
    struct drain *d = need_zeroed(1, sizeof(*d));

    d->session = s;
    list_init(&d->routes);
    ev_init(&d->timer, on_timer);
    d->timer.data = d;
    return d;
}

bool drain_start(struct session *s, uint64_t length_ms, struct error *err)
{
    uint64_t now_ms = clock_ms(), *last_start_ms = &s->control->model.last_drain_ms;
    struct drain *d;

    ASSERT_CONTROL();
    if (!s->drain)
        s->drain = drain_new(s);
    d = s->drain;
    if (d->start_ms)
        return error_set(err, "drain already in progress");
    /* No two drains start in the same millisecond: workers know them apart by it (worker/pick.c). */
    d->start_ms = now_ms > *last_start_ms ? now_ms : *last_start_ms + 1;
    *last_start_ms = d->start_ms;
    d->start_wall_ms = clock_wall_ms();
    d->length_ms = length_ms;
    d->completed = false;
    d->turned_gone = 0;
    drain_sync(s);
    set_timer(d, length_ms + POLL_MS);
    log_drain(d, "[registry-v2] Drain started");
    return true;
}

void drain_end(struct session *s)
{
    struct drain *d = s->drain;
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (!d || !d->start_ms)
        return;
    d->start_ms = 0;
    ev_timer_stop(s->control->loop, &d->timer);
    LIST_EACH (node, tmp, &d->routes) {
        struct drained *route = CONTAINER_OF(node, struct drained, link);

        route_state_set_drain(route->state, 0, 0);
        route_state_start_slowly(route->state, clock_ms());
        let_go(route);
    }
}

bool drain_cancel(struct session *s, struct error *err)
{
    ASSERT_CONTROL();
    if (!s->drain || !s->drain->start_ms)
        return error_set(err, "no drain in progress");
    log_drain(s->drain, "[registry-v2] Drain cancelled");
    drain_end(s);
    return true;
}

static unsigned percent_left(uint64_t elapsed_ms, uint64_t length_ms)
{
    return length_ms ? (unsigned)((length_ms - elapsed_ms) * 100 / length_ms) : 0;
}

bool drain_status(const struct session *s, struct drain_status *out)
{
    const struct drain *d = s->drain;
    uint64_t now_ms = clock_ms();
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (!d || !d->start_ms)
        return false;
    *out = (struct drain_status){.started_wall_ms = d->start_wall_ms, .length_ms = d->length_ms};
    if (now_ms > d->start_ms)
        out->elapsed_ms = now_ms - d->start_ms < d->length_ms ? now_ms - d->start_ms : d->length_ms;
    out->traffic_percent = percent_left(out->elapsed_ms, d->length_ms);
    LIST_EACH (node, tmp, &d->routes)
        out->in_flight += route_state_in_flight(CONTAINER_OF(node, struct drained, link)->state);
    out->completed = d->completed;
    return true;
}

void drain_free(struct session *s)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (!s->drain)
        return;
    ev_timer_stop(s->control->loop, &s->drain->timer);
    LIST_EACH (node, tmp, &s->drain->routes)
        let_go(CONTAINER_OF(node, struct drained, link));
    free(s->drain);
    s->drain = NULL;
}
