#include "script/lib_table.h"

#include "script/vm_call.h"

#include <lauxlib.h>
#include <string.h>

/* What a value takes in a text made of a list; raises for one that is no part of a text. */
static size_t part_length(lua_State *L, lua_Integer i)
{
    size_t len = 0;

    lua_rawgeti(L, 1, (int)i);
    if (!lua_isstring(L, -1))
        vm_raise(L, "invalid value (%s) at index %d in table for 'concat'", luaL_typename(L, -1),
                 (int)i);
    lua_tolstring(L, -1, &len);
    vm_spend(L, 16);
    return len;
}

/* Bytes of the joined text. */
static size_t joined_length(lua_State *L, size_t sep, lua_Integer first, lua_Integer last)
{
    size_t len = 0;

    for (lua_Integer i = first; i <= last; i++) {
        len += part_length(L, i) + (i < last ? sep : 0);
        lua_pop(L, 1);
        if (len > VM_TEXT_MAX)
            vm_raise(L, "table.concat: would be longer than %d bytes", VM_TEXT_MAX);
    }
    return len;
}

static int table_concat(lua_State *L)
{
    size_t sep_len, len, done = 0;
    const char *sep = luaL_optlstring(L, 2, "", &sep_len);
    lua_Integer first, last;
    char *out;

    luaL_checktype(L, 1, LUA_TTABLE);
    first = (int)luaL_optinteger(L, 3, 1);
    last = (int)luaL_optinteger(L, 4, (lua_Integer)lua_objlen(L, 1));
    len = joined_length(L, sep_len, first, last);
    out = lua_newuserdata(L, len + 1);
    for (lua_Integer i = first; i <= last; i++) {
        size_t part = part_length(L, i);

        memcpy(out + done, lua_tostring(L, -1), part);
        done += part;
        if (i < last)
            memcpy(out + done, sep, sep_len);
        done += i < last ? sep_len : 0;
        lua_pop(L, 1);
    }
    CHECK(done == len);
    lua_pushlstring(L, out, len);
    return 1;
}

/* Upvalue: Lua's own, which moves what is behind the place one by one, from wherever. */
static int table_insert(lua_State *L)
{
    lua_Integer count, place;

    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_gettop(L) == 3) {
        count = (lua_Integer)lua_objlen(L, 1);
        place = luaL_checkinteger(L, 2);
        if (place < 1 || place > count + 1)
            return luaL_argerror(L, 2, "is not from 1 to the list's length + 1");
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 0);
    return 0;
}

/* Bytes that a comparison of the two values may look at. */
static unsigned compared_bytes(lua_State *L)
{
    size_t a = lua_type(L, 1) == LUA_TSTRING ? lua_objlen(L, 1) : 0;
    size_t b = lua_type(L, 2) == LUA_TSTRING ? lua_objlen(L, 2) : 0;

    return (unsigned)(a < b ? a : b);
}

/* Is the first value before the second? Upvalue: the script's function, or nil. */
static int compare(lua_State *L)
{
    vm_spend(L, 32 + compared_bytes(L) / 2);
    lua_settop(L, 2);
    if (lua_isnil(L, lua_upvalueindex(1))) {
        lua_pushboolean(L, lua_lessthan(L, 1, 2));
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

/* Upvalue: Lua's own. */
static int table_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushcclosure(L, compare, 1);
    vm_enter(L);
    lua_call(L, 2, 0);
    vm_leave(L);
    return 0;
}

/* Puts function around the one of that name. */
static void wrap(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

void lib_table_open(lua_State *L)
{
    lua_pushcfunction(L, table_concat);
    lua_setfield(L, -2, "concat");
    wrap(L, "insert", table_insert);
    wrap(L, "sort", table_sort);
}
