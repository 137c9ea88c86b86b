/* Methods of a session's handle that put it into maintenance and take it out. */
#include "control/connection.h"
#include "control/control.h"
#include "control/maintenance.h"
#include "control/session_limits.h"
#include "script/api.h"
#include "script/vm_state.h"

#include <lauxlib.h>

#define DURATION_MAX_MS 1e13 /* any duration that can be written is shorter */

static struct slice optional_text(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? slice_of(NULL, 0) : api_slice(L, index);
}

static void on_answer(void *arg, const char *refused)
{
    struct pending *pending = arg;

    if (refused)
        vm_refuse(&pending, refused);
    else
        vm_complete(&pending, SLICE(""));
}

/* An order of the line that runs, as a pending operation. */
static struct maintenance_order make_order(lua_State *L, const struct session *s,
                                           struct slice target, struct slice txn)
{
    const struct connection *conn = vm_of(L)->conn;
    struct pending *pending = vm_start_pending(L);

    return (struct maintenance_order){
        .target = target,
        .txn = txn,
        .serial = conn->session == s ? 0 : conn->serial,
        .answer = on_answer,
        .arg = pending,
    };
}

static int finish(lua_State *L, const struct maintenance_order *order, bool ok,
                  const struct error *err)
{
    if (ok)
        return api_pending(L);
    vm_drop_pending(order->arg);
    return api_refuse(L, err->text);
}

static int session_enter(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct slice target = api_slice(L, 2), txn = optional_text(L, 6);
    struct maintenance_page page = {optional_text(L, 3), optional_text(L, 4), 0};
    lua_Number expected = luaL_optnumber(L, 5, 0);
    struct maintenance_order order;
    struct error err;

    luaL_argcheck(L, expected >= 0 && expected <= DURATION_MAX_MS, 5, "not a duration");
    page.expected_end_ms = (uint64_t)expected;
    if (!session_may_operate(s, &err))
        return api_refuse(L, err.text);
    order = make_order(L, s, target, txn);
    return finish(L, &order, maintenance_enter(s, &order, &page, &err), &err);
}

static int session_exit(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct slice target = api_slice(L, 2), txn = optional_text(L, 4);
    bool force = lua_toboolean(L, 3);
    struct maintenance_order order;
    struct error err;

    if (!session_may_operate(s, &err))
        return api_refuse(L, err.text);
    order = make_order(L, s, target, txn);
    return finish(L, &order, maintenance_exit(s, &order, force, &err), &err);
}

static void push_routes(lua_State *L, const struct session *s)
{
    struct list *node, *tmp;
    int count = 0;

    lua_newtable(L);
    LIST_EACH (node, tmp, &s->live->routes) {
        const struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        if (!route->state->in_maintenance)
            continue;
        lua_pushstring(L, route->id);
        lua_rawseti(L, -2, ++count);
    }
}

static int session_status(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct maintenance_status status;

    maintenance_status(s, &status);
    lua_createtable(L, 0, 6);
    push_routes(L, s);
    lua_setfield(L, -2, "in_maintenance");
    api_set_text(L, "maintenance_backend", status.page_url);
    api_set_text(L, "reason", status.reason);
    api_set_text(L, "waiting", status.waiting);
    if (status.entered_wall_ms)
        api_set_number(L, "entered_at_ms", (double)status.entered_wall_ms);
    if (status.expected_end_wall_ms)
        api_set_number(L, "expected_end_ms", (double)status.expected_end_wall_ms);
    return 1;
}

static const luaL_Reg methods[] = {
    {"maintenance_enter", session_enter},
    {"maintenance_exit", session_exit},
    {"maintenance_status", session_status},
    {NULL, NULL},
};

void api_maintenance_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
