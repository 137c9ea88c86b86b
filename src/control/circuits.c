#include "control/circuits.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "config/snapshot.h"
#include "control/control.h"
#include "control/event_json.h"
#include "control/publish.h"
#include "worker/worker.h"

#include <stdlib.h>

/* The timer of an open circuit. */
struct circuit_watch {
    struct control *control;
    struct route_state *state; /* referenced */
    ev_timer timer;
    uint32_t generation; /* half-open: of the probes that are waited for */
};

static void announce(struct control *c, struct route_state *s, const struct circuit_change *change);
static void watch_circuit(struct control *c, struct route_state *s);

static void unwatch(struct route_state *s)
{
    struct circuit_watch *watch = s->watch;

    if (!watch)
        return;
    s->watch = NULL;
    ev_timer_stop(watch->control->loop, &watch->timer);
    free(watch);
    route_state_unref(s);
}

/* How long a probe may take until others may go, too: as long as the circuit was open at first. */
static uint64_t patience_ms(const struct circuit_watch *watch)
{
    const struct member *m = snapshot_member(publish_newest(watch->control), watch->state);

    return m ? m->circuit.timeout_ms : 0;
}

static void start_timer(struct circuit_watch *watch, uint64_t until_ms)
{
    uint64_t now_ms = clock_ms();

    /* Not a moment too early: the loop's clock and ours differ by less than that. */
    ev_timer_stop(watch->control->loop, &watch->timer);
    ev_timer_set(&watch->timer, until_ms > now_ms ? (double)(until_ms - now_ms + 1) / 1e3 : 0., 0.);
    ev_timer_start(watch->control->loop, &watch->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct circuit_watch *watch = timer->data;
    struct route_state *s = route_state_ref(watch->state);
    struct circuit_change change;
    struct circuit_status status;

    (void)loop;
    (void)events;
    if (circuit_tick(&s->circuit, clock_ms(), &change)) {
        announce(watch->control, s, &change);
    } else {
        circuit_read(&s->circuit, clock_ms(), &status);
        if (status.phase == CIRCUIT_HALF_OPEN && status.generation == watch->generation &&
            circuit_renew(&s->circuit, watch->generation))
            log_write(LOG_INFO, "probes take long, others may go", "route=%s service=%s instance=%s",
                      s->route_id, s->service, s->instance);
        watch_circuit(watch->control, s);
    }
    route_state_unref(s);
}

/* Starts, moves or ends the timer by how the circuit is now: notices of two workers may come in either order. Once
 * nothing carries the route any more there is nobody to tell; the circuit itself goes with it. */
static void watch_circuit(struct control *c, struct route_state *s)
{
    uint64_t now_ms = clock_ms(), until_ms;
    struct circuit_status status;

    circuit_read(&s->circuit, now_ms, &status);
    if (!s->session || (!status.until_ms && status.phase != CIRCUIT_HALF_OPEN)) {
        unwatch(s);
        return;
    }
    if (!s->watch) {
        s->watch = need_zeroed(1, sizeof(*s->watch));
        s->watch->control = c;
        s->watch->state = route_state_ref(s);
        ev_init(&s->watch->timer, on_timer);
        s->watch->timer.data = s->watch;
    }
    s->watch->generation = status.generation;
    until_ms = status.until_ms ? status.until_ms : now_ms + patience_ms(s->watch);
    start_timer(s->watch, until_ms);
}

static void send_event(struct control *c, const struct route_state *s,
                       const struct circuit_change *change)
{
    uint64_t next = change->until_ms ? clock_wall_ms() + change->until_ms - clock_ms() : 0;
    struct event_json json;

    event_json_begin_route(&json, s);
    event_json_text(&json, "from", circuit_phase_text(change->from));
    event_json_text(&json, "to", circuit_phase_text(change->to));
    event_json_text(&json, "cause", circuit_cause_text(change->cause));
    event_json_time(&json, "next_attempt", next);
    event_json_service(&json, s->session);
    event_json_send(&json, c, EVENT_CIRCUIT_CHANGED, s->session);
}

static void announce(struct control *c, struct route_state *s, const struct circuit_change *change)
{
    ASSERT_CONTROL();
    watch_circuit(c, s);
    if (!s->session || (change->from == CIRCUIT_OPEN && change->to == CIRCUIT_HELD))
        return;
    log_write(change->to == CIRCUIT_OPEN || change->to == CIRCUIT_HELD ? LOG_WARN : LOG_INFO,
              "circuit changed", "route=%s service=%s instance=%s from=%s to=%s cause=\"%s\"", s->route_id,
              s->service, s->instance, circuit_phase_text(change->from),
              circuit_phase_text(change->to), circuit_cause_text(change->cause));
    send_event(c, s, change);
}

void circuits_on_notice(struct message *m)
{
    struct circuit_notice *notice = CONTAINER_OF(m, struct circuit_notice, message);

    announce(notice->control, notice->state, &notice->change);
    free(notice);
}

void circuits_hold(struct control *c, struct route_state *s)
{
    struct circuit_change change;

    if (circuit_hold(&s->circuit, clock_ms(), &change))
        announce(c, s, &change);
}

void circuits_unhold(struct control *c, struct route_state *s)
{
    struct circuit_change change;

    if (circuit_unhold(&s->circuit, clock_ms(), &change))
        announce(c, s, &change);
}

void circuits_reset(struct control *c, struct route_state *s)
{
    struct circuit_change change;

    if (route_state_health(s) == ROUTE_HEALTH_DOWN)
        return; /* stays held: recovery leads to half-open, and it has no counts to clear */
    if (circuit_reset(&s->circuit, clock_ms(), &change))
        announce(c, s, &change);
}

void circuits_leave(struct route_state *s)
{
    ASSERT_CONTROL();
    unwatch(s);
}
