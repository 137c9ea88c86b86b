/* host: log, time and the names of the request policies, in the registry's VM. */
#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "control/events.h"
#include "script/api.h"
#include "script/bundle.h"
#include "script/vm_state.h"

#include <lauxlib.h>
#include <string.h>

static int host_now_ms(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_wall_ms());
    return 1;
}

static int host_format_time(lua_State *L)
{
    lua_Number ms = luaL_checknumber(L, 1);
    char text[CLOCK_TEXT_SIZE];

    if (!(ms >= 0 && ms < 1e15))
        return luaL_error(L, "format_time: not a time");
    lua_pushlstring(L, text, clock_format_s(text, (uint64_t)ms));
    return 1;
}

static int host_log(lua_State *L)
{
    enum log_level level = LOG_INFO;

    if (!log_level_parse(api_slice(L, 1), &level))
        return luaL_error(L, "log: no such level");
    log_write(level, luaL_checkstring(L, 2), "%s", luaL_optstring(L, 3, ""));
    return 0;
}

static int host_event_known(lua_State *L)
{
    lua_pushboolean(L, event_mask(api_slice(L, 1)) != 0);
    return 1;
}

static bool append_name(const struct bundle_file *file, void *arg)
{
    lua_State *L = arg;
    const char *name = strrchr(file->path, '/') + 1;

    lua_pushlstring(L, name, strlen(name) - strlen(".lua"));
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    return true;
}

static int host_policies(lua_State *L)
{
    lua_newtable(L);
    bundle_each(vm_of(L)->control->bundle, "policies", append_name, L);
    return 1;
}

static const luaL_Reg functions[] = {
    {"now_ms", host_now_ms},
    {"format_time", host_format_time},
    {"log", host_log},
    {"event_known", host_event_known},
    {"policies", host_policies},
    {NULL, NULL},
};

void api_text_open(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
