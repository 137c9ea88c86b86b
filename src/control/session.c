#include "control/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "base/random.h"
#include "control/control.h"
#include "control/drain.h"
#include "control/maintenance.h"

#include <stdlib.h>

/* Sets the timer to fire once, ms from now. */
static void start_timer(struct session *s, ev_timer *timer, uint64_t ms)
{
    ev_timer_stop(s->control->loop, timer);
    ev_timer_set(timer, (double)ms / 1000.0, 0.);
    ev_timer_start(s->control->loop, timer);
}

static void on_staged(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct session *s = timer->data;

    (void)loop;
    (void)events;
    log_write(LOG_WARN, "[registry-v2] Staged changes dropped, nobody applied them",
              "session=%.8s service=%s instance=%s", s->id, s->service, s->instance);
    session_rollback(s);
}

static void on_grace(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct session *s = timer->data;

    (void)loop;
    (void)events;
    s->grace_ended(s);
}

static void make_id(char out[SESSION_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[(SESSION_ID_SIZE - 1) / 2];

    random_secure(random, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++) {
        out[2 * i] = digits[random[i] >> 4];
        out[2 * i + 1] = digits[random[i] & 15];
    }
    out[SESSION_ID_SIZE - 1] = '\0';
}

struct session *session_new(struct control *c, struct slice service, struct slice instance,
                            void (*grace_ended)(struct session *s))
{
    struct session *s = need_zeroed(1, sizeof(*s));

    ASSERT_CONTROL();
    list_init(&s->link);
    s->control = c;
    make_id(s->id);
    s->service = need_copy(service);
    s->instance = need_copy(instance);
    s->standing = SESSION_DISCONNECTED;
    s->connected_wall_ms = s->activity_wall_ms = clock_wall_ms();
    s->registered_ms = clock_ms();
    s->live = config_set_new();
    s->next_route = 1;
    s->grace_ended = grace_ended;
    ev_init(&s->grace, on_grace);
    ev_init(&s->staged, on_staged);
    s->grace.data = s->staged.data = s;
    return s;
}

void session_free(struct session *s)
{
    ASSERT_CONTROL();
    if (!s)
        return;
    CHECK(!s->connection);
    list_remove(&s->link);
    ev_timer_stop(s->control->loop, &s->grace);
    session_rollback(s);
    drain_free(s);
    maintenance_leave(s);
    maintenance_free(s);
    config_set_free(s->live);
    free(s->service);
    free(s->instance);
    free(s->metadata);
    free(s);
}

void session_start_grace(struct session *s)
{
    ASSERT_CONTROL();
    CHECK(s->standing == SESSION_DISCONNECTED || s->standing == SESSION_SUPERSEDED);
    start_timer(s, &s->grace, s->control->settings->grace_ms);
}

struct config_set *session_stage(struct session *s, struct error *err)
{
    ASSERT_CONTROL();
    if (!s->draft)
        s->draft = config_set_copy(s->next ? s->next : s->live, err);
    if (!s->draft)
        return NULL;
    start_timer(s, &s->staged, s->control->settings->staged_ms);
    return s->draft;
}

const struct config_set *session_view(const struct session *s)
{
    ASSERT_CONTROL();
    if (s->draft)
        return s->draft;
    return s->next ? s->next : s->live;
}

struct config_set *session_take_draft(struct session *s)
{
    struct config_set *draft = s->draft;

    ASSERT_CONTROL();
    ev_timer_stop(s->control->loop, &s->staged);
    s->draft = NULL;
    return draft;
}

void session_rollback(struct session *s)
{
    config_set_free(session_take_draft(s));
}

static enum route_session route_session(const struct session *s)
{
    switch (s->standing) {
    case SESSION_DISCONNECTED:
        return ROUTE_DISCONNECTED;
    case SESSION_SUPERSEDED:
        return ROUTE_SUPERSEDED;
    case SESSION_CONNECTED:
    case SESSION_STATIC:
        break;
    }
    return ROUTE_CONNECTED;
}

void session_sync_routes(struct session *s)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &s->live->routes) {
        struct route_state *state = CONTAINER_OF(node, struct route_entry, link)->state;

        state->session = s;
        route_state_set_session(state, route_session(s));
    }
    drain_sync(s);
    maintenance_sync(s);
}

void session_set_standing(struct session *s, enum session_standing standing)
{
    ASSERT_CONTROL();
    CHECK(s->standing != SESSION_STATIC);
    if (standing == SESSION_CONNECTED || standing == SESSION_STATIC)
        ev_timer_stop(s->control->loop, &s->grace);
    s->standing = standing;
    session_sync_routes(s);
}

void session_next_route_id(struct session *s, char out[ROUTE_ID_SIZE])
{
    ASSERT_CONTROL();
    snprintf(out, ROUTE_ID_SIZE, "r%u", s->next_route++);
}

void session_touch(struct session *s)
{
    ASSERT_CONTROL();
    s->activity_wall_ms = clock_wall_ms();
}
