#include "control/session_limits.h"

#include "base/clock.h"
#include "control/control.h"
#include "control/maintenance_state.h"

enum { TAKEOVERS_AT_ONCE = 10 /* times as many as a second's */ };

uint64_t sessions_used(const struct control *c)
{
    return c->model.session_count;
}

uint64_t sessions_most_routes(const struct control *c)
{
    struct list *node, *tmp;
    unsigned most = 0, count;

    LIST_EACH (node, tmp, &c->model.sessions) {
        const struct session *s = CONTAINER_OF(node, struct session, link);

        count = config_set_route_count(session_view(s));
        if (s != c->model.statics && count > most)
            most = count;
    }
    return most;
}

uint64_t sessions_most_staged(const struct control *c)
{
    struct list *node, *tmp;
    uint64_t most = 0;

    LIST_EACH (node, tmp, &c->model.sessions) {
        const struct session *s = CONTAINER_OF(node, struct session, link);

        if (s->draft && config_set_bytes(s->draft) > most)
            most = config_set_bytes(s->draft);
    }
    return most;
}

uint64_t sessions_most_operations(const struct control *c)
{
    struct list *node, *tmp;
    unsigned most = 0;

    LIST_EACH (node, tmp, &c->model.maintenance_ops) {
        const struct session *s = CONTAINER_OF(node, struct maintenance_op, link)->session;

        if (s && s->operations > most)
            most = s->operations;
    }
    return most;
}

/* The oldest session that nobody would miss: it has no connection and never applied anything. */
static struct session *oldest_idle(const struct model *m)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &m->sessions) {
        struct session *s = CONTAINER_OF(node, struct session, link);

        if (s->standing == SESSION_DISCONNECTED && s->apply_wall_ms == 0 && !s->applying && !s->supersedes)
            return s;
    }
    return NULL;
}

bool session_may_register(struct control *c, struct slice service, struct slice instance, struct slice metadata,
                          struct error *err)
{
    struct session *idle, *old = model_find_names(&c->model, service, instance);
    uint64_t used = sessions_used(c);

    ASSERT_CONTROL();
    if (!registry_within(c, REGISTRY_LIMIT_METADATA, metadata.len, err) || !session_may_turn_over(old, err))
        return false;
    /* One that never applied goes at once. */
    if (used < registry_limit_value(c, REGISTRY_LIMIT_SESSIONS) || (old && old->apply_wall_ms == 0))
        return true;
    idle = oldest_idle(&c->model);
    if (!idle)
        return registry_within(c, REGISTRY_LIMIT_SESSIONS, used + 1, err);
    c->counts.sessions_dropped++;
    model_unlink(&c->model, idle, "too many sessions");
    return true;
}

/* More bytes than are staged already, or would be with the draft that is still to be made. */
static bool may_stage(struct session *s, size_t more, size_t less, struct error *err)
{
    size_t bytes = config_set_bytes(session_view(s));

    return registry_within(s->control, REGISTRY_LIMIT_STAGED, bytes - less + more, err);
}

bool session_may_add(struct session *s, const struct route_fields *routes, unsigned count, struct error *err)
{
    unsigned had = config_set_route_count(session_view(s));
    size_t bytes = 0;

    ASSERT_CONTROL();
    if (!registry_within(s->control, REGISTRY_LIMIT_ROUTES, (uint64_t)had + count, err))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!registry_within(s->control, REGISTRY_LIMIT_DOMAINS, routes[i].domain_count, err))
            return false;
        bytes += config_route_fields_bytes(&routes[i]);
    }
    return may_stage(s, bytes, 0, err);
}

static unsigned count_parts(struct slice list)
{
    unsigned count = 1;

    for (size_t i = 0; i < list.len; i++)
        count += list.data[i] == ',';
    return count;
}

bool session_may_update(struct session *s, struct slice id, struct slice field, struct slice value, struct error *err)
{
    const struct route_entry *route = config_set_route(session_view(s), id);
    size_t less, more;

    ASSERT_CONTROL();
    if (!route)
        return true; /* which is told elsewhere */
    if (slice_eq(field, SLICE("domains")) &&
        !registry_within(s->control, REGISTRY_LIMIT_DOMAINS, count_parts(value), err))
        return false;
    less = config_route_bytes(route);
    more = config_route_bytes_with(route, field, value);
    return more <= less || may_stage(s, more, less, err);
}

bool session_may_put(struct session *s, enum scope scope, struct slice target, struct slice key, struct slice value,
                     struct error *err)
{
    const struct config_set *set = session_view(s);

    ASSERT_CONTROL();
    if (scope == SCOPE_HEADERS &&
        !registry_within(s->control, REGISTRY_LIMIT_HEADERS, config_set_count_others(set, scope, target, key) + 1u, err))
        return false;
    return may_stage(s, config_setting_bytes(key, value), 0, err);
}

bool session_may_operate(struct session *s, struct error *err)
{
    ASSERT_CONTROL();
    return registry_within(s->control, REGISTRY_LIMIT_OPERATIONS, s->operations + 1u, err);
}

bool session_may_turn_over(struct session *s, struct error *err)
{
    struct line_pace_rules rules;
    uint64_t now_us = clock_us();

    ASSERT_CONTROL();
    if (!s)
        return true;
    rules.rate = registry_limit_value(s->control, REGISTRY_LIMIT_TAKEOVERS);
    rules.burst = rules.rate * TAKEOVERS_AT_ONCE;
    if (line_pace_wait_us(&s->takeovers, &rules, now_us))
        return registry_within(s->control, REGISTRY_LIMIT_TAKEOVERS, rules.rate + 1, err);
    line_pace_charge(&s->takeovers, &rules, 1, now_us);
    return true;
}
