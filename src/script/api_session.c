/* Methods of a session's handle that change it: staging, applying, ending. */
#include "control/control.h"
#include "control/publish.h"
#include "control/registry.h"
#include "control/session_limits.h"
#include "script/api.h"
#include "script/vm_state.h"

#include <lauxlib.h>
#include <string.h>

static int session_touched(lua_State *L)
{
    session_touch(api_session(L, 1));
    return 0;
}

/* Returns true, or nil and the reason; a draft that was made for what was refused goes again. */
static int end_staging(lua_State *L, struct session *s, bool fresh, bool ok,
                       const struct error *err)
{
    if (ok)
        return api_true(L);
    if (fresh)
        session_rollback(s);
    return api_refuse(L, err->text);
}

/* ---- routes */

/* What add_routes works on, in one userdata. */
struct batch {
    unsigned count;
    struct route_fields *routes;
    struct slice *domains; /* of all routes */
    char (*ids)[ROUTE_ID_SIZE];
};

/* Pushes a field of the table at the top, without its metatable's help: what a function would hand out could be another
 * list than the one that was counted, and texts that nobody holds. */
static void push_field(lua_State *L, const char *key)
{
    lua_pushstring(L, key);
    lua_rawget(L, -2);
}

/* The list of domains at the top of the stack. */
static void read_domains(lua_State *L, struct batch *batch, unsigned *used,
                         struct route_fields *route)
{
    unsigned count = (unsigned)lua_objlen(L, -1);

    route->domains = batch->domains + *used;
    route->domain_count = count;
    for (unsigned i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, (int)i);
        batch->domains[(*used)++] = api_slice(L, -1);
        lua_pop(L, 1);
    }
}

/* The field of the table at the top; its text lives on in that table. */
static struct slice text_field(lua_State *L, const char *key)
{
    struct slice text;

    push_field(L, key);
    text = api_slice(L, -1);
    lua_pop(L, 1);
    return text;
}

static void read_route(lua_State *L, struct batch *batch, unsigned *used,
                       struct route_fields *route)
{
    lua_Number priority;

    push_field(L, "domains");
    read_domains(L, batch, used, route);
    lua_pop(L, 1);
    route->path = text_field(L, "path");
    route->backend_url = text_field(L, "backend_url");
    push_field(L, "priority");
    priority = luaL_optnumber(L, -1, 0);
    lua_pop(L, 1);
    if (!(priority >= -1e15 && priority <= 1e15) || priority != (lua_Number)(int64_t)priority)
        luaL_error(L, "priority: has to be a whole number");
    route->priority = (int64_t)priority;
}

/* Pushes the memory of a batch for the routes of the list at index 2. */
static void make_batch(lua_State *L, struct batch *batch)
{
    size_t domains = 0, routes;
    char *memory;

    luaL_checktype(L, 2, LUA_TTABLE);
    routes = lua_objlen(L, 2);
    luaL_argcheck(L, routes <= SET_ENTRIES_MAX, 2, "too many routes");
    for (size_t i = 1; i <= routes; i++) {
        lua_rawgeti(L, 2, (int)i);
        luaL_checktype(L, -1, LUA_TTABLE);
        push_field(L, "domains");
        luaL_checktype(L, -1, LUA_TTABLE);
        domains += lua_objlen(L, -1);
        lua_pop(L, 2);
    }
    memory = lua_newuserdata(L, routes * (sizeof(*batch->routes) + sizeof(*batch->ids)) +
                                    domains * sizeof(*batch->domains) + 1);
    batch->count = (unsigned)routes;
    batch->routes = (struct route_fields *)memory;
    batch->domains = (struct slice *)(batch->routes + routes);
    batch->ids = (char(*)[ROUTE_ID_SIZE])(batch->domains + domains);
}

/* Stages all or nothing; *failed is the first that was refused. */
static bool add_all(struct session *s, struct batch *batch, unsigned *failed, struct error *err)
{
    struct config_set *draft = session_stage(s, err);
    unsigned first = s->next_route;
    struct error ignored;
    unsigned i;

    *failed = 0;
    if (!draft)
        return false;
    for (i = 0; i < batch->count; i++) {
        session_next_route_id(s, batch->ids[i]);
        if (!config_set_add_route(draft, batch->ids[i], &batch->routes[i], err))
            break;
    }
    if (i == batch->count)
        return true;
    *failed = i;
    while (i-- > 0)
        CHECK(config_set_remove_route(draft, slice_str(batch->ids[i]), &ignored));
    s->next_route = first;
    return false;
}

static int session_add_routes(lua_State *L)
{
    struct session *s = api_session(L, 1);
    bool fresh = !s->draft;
    unsigned used = 0, failed = 0;
    struct batch batch;
    struct error err;

    make_batch(L, &batch);
    for (unsigned i = 0; i < batch.count; i++) {
        lua_rawgeti(L, 2, (int)i + 1);
        read_route(L, &batch, &used, &batch.routes[i]);
        lua_pop(L, 1);
    }
    if (!session_may_add(s, batch.routes, batch.count, &err))
        return api_refuse(L, err.text);
    if (!add_all(s, &batch, &failed, &err)) {
        end_staging(L, s, fresh, false, &err);
        lua_pushinteger(L, (lua_Integer)failed + 1);
        return 3;
    }
    lua_createtable(L, (int)batch.count, 0);
    for (unsigned i = 0; i < batch.count; i++) {
        lua_pushstring(L, batch.ids[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int session_update_route(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct slice id = api_slice(L, 2), field = api_slice(L, 3), value = api_slice(L, 4);
    bool fresh = !s->draft;
    struct error err;
    bool ok = session_may_update(s, id, field, value, &err) &&
              session_stage(s, &err) && config_set_update_route(s->draft, id, field, value, &err);

    return end_staging(L, s, fresh, ok, &err);
}

static int session_remove_route(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct slice id = api_slice(L, 2);
    bool fresh = !s->draft;
    struct error err;
    bool ok = session_stage(s, &err) && config_set_remove_route(s->draft, id, &err);

    return end_staging(L, s, fresh, ok, &err);
}

/* ---- settings */

/* SCOPES for a name that is none. */
static enum scope find_scope(struct slice name)
{
    unsigned scope = 0;

    while (scope < SCOPES && !slice_eq(name, slice_str(scope_names[scope])))
        scope++;
    return (enum scope)scope;
}

static enum scope setting_scope(lua_State *L, int index)
{
    enum scope scope = find_scope(api_slice(L, index));

    luaL_argcheck(L, scope != SCOPES && scope != SCOPE_ROUTES, index, "no scope of settings");
    return scope;
}

static int session_put(lua_State *L)
{
    struct session *s = api_session(L, 1);
    enum scope scope = setting_scope(L, 2);
    struct slice target = api_slice(L, 3), key = api_slice(L, 4), value = api_slice(L, 5);
    bool fresh = !s->draft;
    struct error err;
    bool ok = session_may_put(s, scope, target, key, value, &err) &&
              session_stage(s, &err) && config_set_put(s->draft, scope, target, key, value, &err);

    return end_staging(L, s, fresh, ok, &err);
}

static int session_drop(lua_State *L)
{
    struct session *s = api_session(L, 1);
    enum scope scope = setting_scope(L, 2);
    struct slice target = api_slice(L, 3), key = api_slice(L, 4);
    bool fresh = !s->draft;
    struct error err;
    bool ok = session_stage(s, &err) && config_set_drop(s->draft, scope, target, key, &err);

    return end_staging(L, s, fresh, ok, &err);
}

/* ---- as a whole */

static int session_validate(lua_State *L)
{
    struct error err;

    if (!model_validate(api_session(L, 1), &err))
        return api_refuse(L, err.text);
    return api_true(L);
}

/* Adds the scopes of the list at index to the mask; false with the name that is none. */
static bool read_scopes(lua_State *L, int index, unsigned *mask, struct error *err)
{
    luaL_checktype(L, index, LUA_TTABLE);
    for (int i = 1; i <= (int)lua_objlen(L, index); i++) {
        struct slice name;
        enum scope scope;

        lua_rawgeti(L, index, i);
        name = api_slice(L, -1);
        scope = find_scope(name);
        if (scope == SCOPES)
            return error_set(err, "scopes: unknown scope: %.*s",
                             (int)(name.len > 100 ? 100 : name.len), name.data);
        *mask |= 1u << scope;
        lua_pop(L, 1);
    }
    return true;
}

static void on_applied(void *arg, const char *refused)
{
    struct pending *pending = arg;

    if (refused)
        vm_refuse(&pending, refused);
    else
        vm_complete(&pending, SLICE(""));
}

static int session_apply(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct pending *pending;
    unsigned scopes = 0;
    struct error err;

    if (lua_isnoneornil(L, 2))
        scopes = SCOPES_ALL;
    else if (!read_scopes(L, 2, &scopes, &err))
        return api_refuse(L, err.text);
    pending = vm_start_pending(L);
    if (model_apply(&s->control->model, s, scopes, on_applied, pending, &err))
        return api_pending(L);
    vm_drop_pending(pending);
    return api_refuse(L, err.text);
}

static int session_rolled_back(lua_State *L)
{
    session_rollback(api_session(L, 1));
    return api_true(L);
}

/* No worker serves the session's routes any more: the answer, then the end of the connection. */
static void on_gone(void *arg)
{
    struct pending *pending = arg;
    struct control *c = pending->control;
    uint64_t serial = pending->serial;
    struct connection *conn;

    vm_complete(&pending, SLICE(""));
    conn = registry_find(c, serial);
    if (conn)
        connection_close(conn);
}

static int session_shutdown(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct connection *conn = vm_of(L)->conn, *bound = s->connection;
    struct control *c = s->control;
    struct pending *pending = vm_start_pending(L);

    model_remove(&c->model, &s, "client shutdown");
    publish(c, on_gone, pending);
    if (bound && bound != conn)
        connection_close(bound);
    return api_pending(L);
}

static const luaL_Reg methods[] = {
    {"touch", session_touched},
    {"add_routes", session_add_routes},
    {"update_route", session_update_route},
    {"remove_route", session_remove_route},
    {"put", session_put},
    {"drop", session_drop},
    {"validate", session_validate},
    {"apply", session_apply},
    {"rollback", session_rolled_back},
    {"shutdown", session_shutdown},
    {NULL, NULL},
};

void api_session_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
