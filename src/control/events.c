#include "control/events.h"

#include "base/check.h"
#include "base/need.h"
#include "control/control.h"
#include "control/registry.h"
#include "control/session.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const event_names[EVENT_COUNT] = {
#define EVENT_NAME(id, name) name,
    EVENTS(EVENT_NAME)
#undef EVENT_NAME
};

uint32_t event_mask(struct slice type)
{
    if (slice_eq(type, SLICE("all")))
        return (1u << EVENT_COUNT) - 1;
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        if (slice_eq(type, slice_str(event_names[i])))
            return 1u << i;
    }
    return 0;
}

/* One event on its way to the connections. */
struct delivery {
    uint32_t mask;
    const struct session *session; /* NULL: all */
    struct slice line;
};

/* A connection hears of the session that it is bound to, or, bound to none, of the one that it named when it
 * subscribed. */
static bool hears_of(const struct connection *conn, const struct session *s)
{
    return conn->session ? conn->session == s : strcmp(conn->watched, s->id) == 0;
}

static void deliver(struct connection *conn, void *arg)
{
    const struct delivery *d = arg;

    if ((conn->events & d->mask) && (!d->session || hears_of(conn, d->session))) {
        conn->control->counts.events++;
        connection_send(conn, d->line);
    }
}

void events_send(struct control *c, enum event event, const struct session *session,
                 const char *json)
{
    struct delivery d = {.mask = 1u << event, .session = session};
    char *line;

    ASSERT_CONTROL();
    line = need_printf("EVENT|%s|%s", event_names[event], json);
    d.line = slice_str(line);
    registry_each(c, deliver, &d);
    free(line);
}
