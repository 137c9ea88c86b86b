/* host: what the library needs in every VM, the configuration's too. */
#include "config/options.h"
#include "http/head.h"
#include "script/api.h"

#include <lauxlib.h>

static int host_duration(lua_State *L)
{
    uint64_t ms;

    if (!duration_parse(api_slice(L, 1), &ms))
        return 0;
    lua_pushnumber(L, (lua_Number)ms);
    return 1;
}

static int host_is_token(lua_State *L)
{
    lua_pushboolean(L, http_is_token(api_slice(L, 1)));
    return 1;
}

static int host_is_field_value(lua_State *L)
{
    lua_pushboolean(L, http_is_field_value(api_slice(L, 1)));
    return 1;
}

static const char *type_name(enum option_type type)
{
    switch (type) {
    case OPTION_DURATION:
        return "duration";
    case OPTION_SIZE:
        return "size";
    case OPTION_COUNT:
        return "count";
    case OPTION_BOOL:
        return "boolean";
    case OPTION_LB:
        return "load balancing policy";
    case OPTION_PATH:
        return "path";
    case OPTION_NAME:
        return "name";
    case OPTION_PERCENT:
        return "percentage";
    case OPTION_PANICS:
        return "panic policy";
    case OPTION_HOST:
        return "host name";
    case OPTION_TEXT:
        return "text";
    }
    return "?";
}

static void push_option(lua_State *L, const struct option_info *option)
{
    lua_createtable(L, 0, 4);
    api_set_text(L, "key", option->key);
    api_set_text(L, "type", type_name(option->type));
    api_set_text(L, "meaning", option->meaning);
    api_set_flag(L, "in_effect", option->in_effect);
}

static int host_option_find(lua_State *L)
{
    const struct option_info *option = option_find(api_slice(L, 1));

    if (!option)
        return 0;
    push_option(L, option);
    return 1;
}

static int host_option_check(lua_State *L)
{
    struct slice key = api_slice(L, 1), value = api_slice(L, 2);
    const struct option_info *option = option_find(key);
    union option_value parsed;
    struct error err;

    if (!option)
        error_set(&err, "unknown option: %.*s", SLICE_ARGS(slice_cut(key, 100)));
    else if (option_parse(option, value, &parsed, &err))
        return api_true(L);
    return api_refuse(L, err.text);
}

static int host_options(lua_State *L)
{
    lua_createtable(L, OPTION_IDS, 0);
    for (int i = 0; i < OPTION_IDS; i++) {
        push_option(L, &option_table[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    {"duration", host_duration},
    {"is_token", host_is_token},
    {"is_field_value", host_is_field_value},
    {"option_find", host_option_find},
    {"option_check", host_option_check},
    {"options", host_options},
    {NULL, NULL},
};

void api_host_open(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
