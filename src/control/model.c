#include "control/model.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "control/circuits.h"
#include "control/compose.h"
#include "control/connection.h"
#include "control/control.h"
#include "control/drain.h"
#include "control/health.h"
#include "control/maintenance.h"
#include "control/panic.h"
#include "control/places.h"
#include "control/publish.h"
#include "control/resolve.h"

#include <stdlib.h>

void model_init(struct model *m, struct control *control, unsigned worker_count)
{
    ASSERT_CONTROL();
    memset(m, 0, sizeof(*m));
    m->control = control;
    m->worker_count = worker_count;
    list_init(&m->sessions);
    list_init(&m->applies);
    list_init(&m->maintenance_ops);
    m->by_id = map_new();
    m->by_names = map_new();
    m->places = places_new();
}

void model_fini(struct model *m)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &m->sessions)
        CONTAINER_OF(node, struct session, link)->supersedes = NULL;
    LIST_EACH (node, tmp, &m->sessions)
        model_unlink(m, CONTAINER_OF(node, struct session, link), NULL);
    model_drop_applies(m);
    maintenance_drop(m);
    map_free(m->by_id);
    map_free(m->by_names);
    places_free(m->places);
}

/* Says what became of a session; its id is a key to it, so only the start is logged. */
static void log_session(const struct session *s, const char *what, const char *why)
{
    log_write(LOG_INFO, what, "session=%.8s service=%s instance=%s%s%s%s", s->id, s->service,
              s->instance, why ? " reason=\"" : "", why ? why : "", why ? "\"" : "");
}

/* The key of by_names; the caller frees it. */
static struct slice names_key(struct slice service, struct slice instance)
{
    char *key = need(service.len + instance.len + 1);

    memcpy(key, service.data, service.len);
    key[service.len] = '\n';
    memcpy(key + service.len + 1, instance.data, instance.len);
    return slice_of(key, service.len + 1 + instance.len);
}

/* Takes a session off the maps by which it is found. */
static void forget_names(struct model *m, struct session *s)
{
    struct slice key = names_key(slice_str(s->service), slice_str(s->instance));

    if (map_get(m->by_names, key) == s)
        map_remove(m->by_names, key);
    free((char *)key.data);
    if (map_get(m->by_id, slice_str(s->id)) == s)
        map_remove(m->by_id, slice_str(s->id));
}

static void on_grace_ended(struct session *s)
{
    model_remove(&s->control->model, &s, "grace period ended");
}

/* Closes the connection of a session that another takes the place of. */
static void cut_off(struct session *s)
{
    struct connection *conn = s->connection;

    if (!conn)
        return;
    connection_unbind(conn);
    connection_abort(conn, CONNECTION_END_SUPERSEDED);
}

/* Lets s take over the names of old: whatever serves for old now serves until s applies. */
static void supersede(struct model *m, struct session *old, struct session *s)
{
    log_session(old, "[registry-v2] Session superseded", NULL);
    cut_off(old);
    if (old->apply_wall_ms == 0) {
        s->supersedes = old->supersedes;
        old->supersedes = NULL;
        model_unlink(m, old, NULL);
        return;
    }
    CHECK(!old->supersedes);
    s->supersedes = old;
    forget_names(m, old);
    session_rollback(old);
    drain_end(old);
    maintenance_leave(old);
    session_set_standing(old, SESSION_SUPERSEDED);
    session_start_grace(old);
}

struct session *model_find_names(const struct model *m, struct slice service, struct slice instance)
{
    struct slice key = names_key(service, instance);
    struct session *found = map_get(m->by_names, key);

    ASSERT_CONTROL();
    free((char *)key.data);
    return found;
}

struct session *model_register(struct model *m, struct slice service, struct slice instance,
                               uint16_t maintenance_port, struct slice metadata)
{
    struct session *s, *old;
    struct slice key;

    ASSERT_CONTROL();
    key = names_key(service, instance);
    s = session_new(m->control, service, instance, on_grace_ended);
    s->maintenance_port = maintenance_port;
    if (metadata.data)
        s->metadata = need_copy(metadata);
    old = map_get(m->by_names, key);
    if (old) {
        s->takeovers = old->takeovers;
        supersede(m, old, s);
    }
    s->order = ++m->last_order;
    list_push_back(&m->sessions, &s->link);
    m->session_count++;
    map_set(m->by_names, key, s);
    map_set(m->by_id, slice_str(s->id), s);
    free((char *)key.data);
    session_start_grace(s);
    log_session(s, "[registry-v2] Session registered", NULL);
    return s;
}

struct session *model_find(const struct model *m, struct slice id)
{
    ASSERT_CONTROL();
    /* The map compares seeded hashes first: how long a look-up takes tells nothing about an id. */
    return map_get(m->by_id, id);
}

void model_disconnected(struct model *m, struct session *s)
{
    ASSERT_CONTROL();
    (void)m;
    CHECK(!s->connection);
    if (s->standing != SESSION_CONNECTED)
        return;
    session_set_standing(s, SESSION_DISCONNECTED);
    session_start_grace(s);
    log_session(s, "[registry-v2] Session disconnected", NULL);
}

static void drop_names(struct model *m, struct config_set *set)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &set->routes) {
        struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        if (route->name)
            resolve_drop(m->control, route->name);
        route->name = NULL;
    }
}

void model_discard(struct model *m, struct config_set *set)
{
    ASSERT_CONTROL();
    drop_names(m, set);
    config_set_free(set);
}

/* No session has the route any more: what control does for it ends, and the next snapshot is without it. Its state may
 * live on, in snapshots that are still in use. */
static void retire(struct model *m, struct route_state *state)
{
    compose_touch(m->control, state);
    health_drop(state);
    state->session = NULL;
    circuits_leave(state);
    panic_leave(state);
}

static void retire_all(struct model *m, const struct config_set *set)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &set->routes)
        retire(m, CONTAINER_OF(node, struct route_entry, link)->state);
}

void model_unlink(struct model *m, struct session *s, const char *why)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (s->supersedes)
        model_unlink(m, s->supersedes, why);
    LIST_EACH (node, tmp, &m->sessions) {
        struct session *other = CONTAINER_OF(node, struct session, link);

        if (other->supersedes == s)
            other->supersedes = NULL;
    }
    if (s->connection)
        connection_unbind(s->connection);
    if (why)
        log_session(s, "[registry-v2] Session removed", why);
    model_leave_applies(m, s);
    forget_names(m, s);
    places_remove(m->places, s->live, s->service);
    drop_names(m, s->live);
    retire_all(m, s->live);
    if (s == m->statics)
        m->statics = NULL;
    else
        m->session_count--;
    session_free(s);
}

void model_remove(struct model *m, struct session **s, const char *why)
{
    ASSERT_CONTROL();
    model_unlink(m, *s, why);
    *s = NULL;
    publish(m->control, NULL, NULL);
}

const char *model_owner(const struct model *m, struct slice domain, struct slice path,
                        const char *service)
{
    ASSERT_CONTROL();
    return places_other(m->places, domain, path, service);
}

void model_each_live(const struct model *m,
                     void (*fn)(void *arg, const struct session *s, const struct route_entry *r),
                     void *arg)
{
    struct list *node, *tmp, *inner, *inner_tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &m->sessions) {
        struct session *s = CONTAINER_OF(node, struct session, link);

        LIST_EACH (inner, inner_tmp, &s->live->routes)
            fn(arg, s, CONTAINER_OF(inner, struct route_entry, link));
    }
}

/* The state that a route of set had before, or NULL: static ids are given anew with every file, so
 * there the whole route has to be the same. */
static struct route_state *old_state(const struct model *m, const struct session *s,
                                     const struct route_entry *route)
{
    const struct route_entry *old = config_set_route(s->live, slice_str(route->id));

    if (!old || (s == m->statics && !route_entry_equal(old, route)))
        return NULL;
    return route_state_ref(old->state);
}

void model_prepare(struct model *m, struct session *s, struct config_set *set)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &set->routes) {
        struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        if (!route->state)
            route->state = old_state(m, s, route);
        if (!route->state)
            route->state =
                route_state_new(s->id, route->id, s->service, s->instance, m->worker_count);
        if (!route->url.host_is_ip)
            route->name = resolve_hold(m->control, route->url.host);
    }
}

/* A new member of a group that has others starts slowly, if it is told to. */
static void start_slowly(const struct model *m, const struct config_set *set, const struct route_entry *route)
{
    if (!list_empty(&set->groups) && config_set_value(set, SCOPE_OPTIONS, route->id, "slow_start") &&
        places_has_company(m->places, route))
        route_state_start_slowly(route->state, clock_ms());
}

static bool same_state(const struct set_change *change)
{
    return change->old && change->now && change->old->state == change->now->state;
}

/* What there is of places, checks and circuits before the session has its new set. */
static void leave_old(struct model *m, const struct session *s, const struct set_changes *changes)
{
    for (unsigned i = 0; i < changes->count; i++) {
        const struct set_change *change = &changes->list[i];

        if (change->old && (change->scopes & 1u << SCOPE_ROUTES))
            places_remove_route(m->places, change->old, s->service);
        if (change->old && !same_state(change))
            retire(m, change->old->state);
    }
    for (unsigned i = 0; i < changes->count; i++)
        if (changes->list[i].now && (changes->list[i].scopes & 1u << SCOPE_ROUTES))
            places_add_route(m->places, changes->list[i].now, s->service);
}

enum { NOT_FOR_WORKERS = 1u << SCOPE_HEALTH, FOR_HEALTH = 1u << SCOPE_ROUTES | 1u << SCOPE_OPTIONS | 1u << SCOPE_HEALTH };

static void take_up(struct model *m, const struct config_set *set, const struct set_change *change)
{
    struct control *c = m->control;

    if (change->scopes & ~(unsigned)NOT_FOR_WORKERS)
        compose_touch(c, change->now->state);
    /* What is known of a circuit is known of a backend. */
    if (same_state(change) && strcmp(change->old->backend_url, change->now->backend_url) != 0)
        circuits_reset(c, change->now->state);
    if (change->scopes & FOR_HEALTH)
        health_sync(c, set, change->now);
}

void model_make_live(struct model *m, struct session *s, struct config_set *set)
{
    struct config_set *before = s->live;
    struct set_changes changes;

    ASSERT_CONTROL();
    config_set_changes(before, set, &changes);
    leave_old(m, s, &changes);
    for (unsigned i = 0; i < changes.count; i++)
        if (changes.list[i].now && !changes.list[i].now->state->session)
            start_slowly(m, set, changes.list[i].now);
    s->live = set;
    s->apply_wall_ms = clock_wall_ms();
    session_sync_routes(s);
    for (unsigned i = 0; i < changes.count; i++)
        if (changes.list[i].now)
            take_up(m, set, &changes.list[i]);
    config_set_changes_fini(&changes);
    model_discard(m, before);
}

void model_set_static(struct model *m, struct config_set *set)
{
    ASSERT_CONTROL();
    if (!m->statics) {
        m->statics = session_new(m->control, SLICE("static"), SLICE("configuration"), NULL);
        session_set_standing(m->statics, SESSION_STATIC);
        list_push_front(&m->sessions, &m->statics->link);
    }
    model_prepare(m, m->statics, set);
    model_make_live(m, m->statics, set);
    publish(m->control, NULL, NULL);
}
