#include "control/panic.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "config/atlas.h"
#include "config/member_state.h"
#include "control/control.h"
#include "control/event_json.h"
#include "worker/worker.h"

#include <stdlib.h>

#define LOOK_EVERY_S .5

struct panic_watch {
    struct control *control;
    struct route_state *state; /* referenced */
    ev_timer timer;
};

/* Can a member take requests without panic? */
static bool is_usable(const struct member *m)
{
    struct member_state state;

    member_state_read(m, clock_ms(), &state);
    if (state.draining && !state.passes)
        state.facts ^= EFFECTIVE_DRAIN_PASSED | EFFECTIVE_DRAIN_TURNED;
    return m->address_count && effective_of(state.facts)->use != EFFECTIVE_USE_NONE;
}

static bool group_panics(const struct group *g, const struct route_state *s)
{
    bool is_in = false;

    for (unsigned i = 0; i < g->member_count; i++) {
        if (is_usable(g->members[i]))
            return false;
        is_in = is_in || (g->members[i]->state == s && g->members[i]->fail_open);
    }
    return is_in;
}

bool panic_holds(const struct control *c, const struct route_state *s)
{
    ASSERT_CONTROL();
    (void)c;
    return atlas_any_group(s, group_panics);
}

static void tell(struct control *c, const struct route_state *s, bool panic)
{
    struct event_json json;

    if (!s->session)
        return;
    log_write(LOG_WARN, panic ? "panic: all members are down, requests go there all the same"
                              : "panic is over",
              "route=%s service=%s instance=%s", s->route_id, s->service, s->instance);
    event_json_begin_route(&json, s);
    event_json_flag(&json, "healthy", route_state_health(s) != ROUTE_HEALTH_DOWN && !panic);
    event_json_flag(&json, "panic", panic);
    event_json_service(&json, s->session);
    event_json_send(&json, c, EVENT_BACKEND_HEALTH_CHANGED, s->session);
}

void panic_leave(struct route_state *s)
{
    struct panic_watch *watch = s->panic;

    ASSERT_CONTROL();
    if (!watch)
        return;
    s->panic = NULL;
    ev_timer_stop(watch->control->loop, &watch->timer);
    free(watch);
    /* Relaxed: the next request in panic makes a notice, a little earlier or later. */
    atomic_store_explicit(&s->panicking, 0, memory_order_relaxed);
    route_state_unref(s);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct panic_watch *watch = timer->data;

    (void)loop;
    (void)events;
    if (panic_holds(watch->control, watch->state))
        return;
    tell(watch->control, watch->state, false);
    panic_leave(watch->state);
}

void panic_on_notice(struct message *m)
{
    struct panic_notice *notice = CONTAINER_OF(m, struct panic_notice, message);
    struct route_state *s = notice->state;
    struct panic_watch *watch;

    ASSERT_CONTROL();
    if (s->session && !s->panic) {
        watch = need_zeroed(1, sizeof(*watch));
        watch->control = notice->control;
        watch->state = route_state_ref(s);
        s->panic = watch;
        ev_timer_init(&watch->timer, on_timer, LOOK_EVERY_S, LOOK_EVERY_S);
        watch->timer.data = watch;
        ev_timer_start(watch->control->loop, &watch->timer);
        tell(notice->control, s, true);
    }
    free(notice);
}
