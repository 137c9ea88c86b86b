#include "script/settings_get.h"

#include "base/need.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

bool settings_get(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

void settings_get_needed(lua_State *L, const char *key)
{
    if (!settings_get(L, key))
        luaL_error(L, "lua/config/schema.lua lacks %s", key);
}

lua_Number settings_get_number(lua_State *L, const char *key)
{
    lua_Number number;

    settings_get_needed(L, key);
    number = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return number;
}

bool settings_get_flag(lua_State *L, const char *key)
{
    bool flag;

    settings_get_needed(L, key);
    luaL_checktype(L, -1, LUA_TBOOLEAN);
    flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

struct slice settings_get_top(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, -1, &len);

    return slice_of(text, len);
}

static struct slice copy(struct slice text)
{
    char *out = need_copy(text);

    return slice_of(out, text.len);
}

char *settings_get_text(lua_State *L, const char *key)
{
    char *text;

    if (!settings_get(L, key))
        return NULL;
    text = (char *)copy(settings_get_top(L)).data;
    lua_pop(L, 1);
    return text;
}

unsigned settings_get_word(lua_State *L, const char *key, const char *const *names, unsigned count)
{
    settings_get_needed(L, key);
    for (unsigned i = 0; i < count; i++) {
        if (slice_eq(settings_get_top(L), slice_str(names[i]))) {
            lua_pop(L, 1);
            return i;
        }
    }
    luaL_error(L, "lua/config/schema.lua allows an unknown %s", key);
    return 0;
}

bool settings_get_list(lua_State *L, const char *key, unsigned *count)
{
    *count = 0;
    if (!settings_get(L, key))
        return false;
    luaL_checktype(L, -1, LUA_TTABLE);
    *count = (unsigned)lua_objlen(L, -1);
    return true;
}

void *settings_get_room(unsigned count, size_t size)
{
    return need_zeroed((size_t)count + 1, size);
}

struct slice settings_get_item(lua_State *L, int i)
{
    struct slice text;

    lua_rawgeti(L, -1, i);
    text = copy(settings_get_top(L));
    lua_pop(L, 1);
    return text;
}

void settings_get_address(lua_State *L, struct address *out)
{
    if (address_parse(settings_get_top(L), out))
        luaL_error(L, "not an address: %s", lua_tostring(L, -1));
    lua_pop(L, 1);
}
