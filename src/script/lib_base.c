#include "script/lib_base.h"

#include "base/log.h"
#include "script/print.h"
#include "script/vm_call.h"

#include <lauxlib.h>

enum { DATE_FORMAT_MAX = 100 };

static void (*printer)(const char *text);

void print_to(void (*print)(const char *text))
{
    printer = print;
}

static int base_pcall(lua_State *L)
{
    int status;

    luaL_checkany(L, 1);
    status = vm_pcall(L, lua_gettop(L) - 1, 0);
    lua_pushboolean(L, status == 0);
    lua_insert(L, 1);
    return lua_gettop(L);
}

static int base_xpcall(lua_State *L)
{
    int status;

    luaL_checkany(L, 2);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_replace(L, 1);
    lua_replace(L, 2);
    status = vm_pcall(L, lua_gettop(L) - 2, 1);
    lua_pushboolean(L, status == 0);
    lua_replace(L, 1);
    return lua_gettop(L);
}

/* Of tables only, so that nobody reaches the tables behind strings and handles. */
static int base_getmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!luaL_getmetafield(L, 1, "__metatable") && !lua_getmetatable(L, 1))
        lua_pushnil(L);
    return 1;
}

/* Upvalue: tostring. */
static int base_print(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer buffer;

    for (int i = 1; i <= count; i++) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, i);
        vm_enter(L);
        lua_call(L, 1, 1);
        vm_leave(L);
        lua_replace(L, i);
        if (!lua_isstring(L, i))
            return luaL_error(L, "tostring has to return a string");
    }
    luaL_buffinit(L, &buffer);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&buffer, ' ');
        lua_pushvalue(L, i);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    if (printer)
        printer(lua_tostring(L, -1));
    else
        log_write(LOG_INFO, "script says", "text=%s", lua_tostring(L, -1));
    return 0;
}

/* Upvalue: Lua's own. */
static int os_date(lua_State *L)
{
    size_t len;

    luaL_optlstring(L, 1, "", &len);
    if (len > DATE_FORMAT_MAX)
        return luaL_argerror(L, 1, "format is too long");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

void lib_base_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"pcall", base_pcall},
        {"xpcall", base_xpcall},
        {"getmetatable", base_getmetatable},
        {NULL, NULL},
    };

    luaL_setfuncs(L, functions, 0);
    lua_getfield(L, -1, "tostring");
    lua_pushcclosure(L, base_print, 1);
    lua_setfield(L, -2, "print");
    lua_getfield(L, -1, "os");
    lua_getfield(L, -1, "date");
    lua_pushcclosure(L, os_date, 1);
    lua_setfield(L, -2, "date");
    lua_pop(L, 1);
}
