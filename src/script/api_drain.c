/* Methods of a session's handle that drain it. */
#include "control/control.h"
#include "control/drain.h"
#include "script/api.h"

#include <lauxlib.h>

#define DURATION_MAX_MS 1e13 /* any duration that can be written is shorter */

static int session_drain(lua_State *L)
{
    struct session *s = api_session(L, 1);
    lua_Number ms = luaL_checknumber(L, 2);
    struct drain_status status;
    struct error err;

    luaL_argcheck(L, ms >= 0 && ms <= DURATION_MAX_MS, 2, "not a duration");
    if (!drain_start(s, (uint64_t)ms, &err))
        return api_refuse(L, err.text);
    CHECK(drain_status(s, &status));
    lua_pushnumber(L, (lua_Number)(status.started_wall_ms + status.length_ms));
    return 1;
}

static int session_drain_status(lua_State *L)
{
    struct drain_status status;

    if (!drain_status(api_session(L, 1), &status))
        return api_refuse(L, "no drain in progress");
    lua_createtable(L, 0, 6);
    api_set_number(L, "started_at_ms", (double)status.started_wall_ms);
    api_set_number(L, "duration_ms", (double)status.length_ms);
    api_set_number(L, "elapsed_ms", (double)status.elapsed_ms);
    api_set_number(L, "traffic_percent", status.traffic_percent);
    api_set_number(L, "in_flight", (double)status.in_flight);
    api_set_flag(L, "completed", status.completed);
    return 1;
}

static int session_drain_cancel(lua_State *L)
{
    struct error err;

    if (!drain_cancel(api_session(L, 1), &err))
        return api_refuse(L, err.text);
    return api_true(L);
}

static const luaL_Reg methods[] = {
    {"drain", session_drain},
    {"drain_status", session_drain_status},
    {"drain_cancel", session_drain_cancel},
    {NULL, NULL},
};

void api_drain_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
