/* host: JSON, by jansson. A tree hangs on a userdata while it is walked, so that an error loses
 * nothing. */
#include "base/check.h"
#include "script/api.h"

#include <jansson.h>
#include <lauxlib.h>
#include <math.h>

enum { DEPTH_MAX = 32 };

static const char tree_type[] = "tidelock.json";
static const char array_type[] = "tidelock.json.array";
static const char object_type[] = "tidelock.json.object";
static const char text_type[] = "tidelock.json.text";

struct tree {
    json_t *root; /* NULL: none */
};

static int tree_collect(lua_State *L)
{
    struct tree *tree = luaL_checkudata(L, 1, tree_type);

    json_decref(tree->root);
    tree->root = NULL;
    return 0;
}

static struct tree *push_tree(lua_State *L)
{
    struct tree *tree = lua_newuserdata(L, sizeof(*tree));

    tree->root = NULL;
    luaL_getmetatable(L, tree_type);
    lua_setmetatable(L, -2);
    return tree;
}

static bool has_type(lua_State *L, int index, const char *type)
{
    bool same;

    if (!lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, type);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

/* ---- from Lua; every function pops nothing and hands its new value to attach at once */

/* Where the next value goes. */
struct slot {
    struct tree *tree;
    json_t *parent;  /* NULL: the root */
    const char *key; /* in an object */
};

static void read_value(lua_State *L, int index, struct slot slot, int depth);

/* Gives value to its place. */
static json_t *attach(lua_State *L, struct slot slot, json_t *value)
{
    int status = 0;

    if (!value)
        luaL_error(L, "a text that is not UTF-8");
    if (!slot.parent)
        slot.tree->root = value;
    else if (json_is_array(slot.parent))
        status = json_array_append_new(slot.parent, value);
    else
        status = json_object_set_new(slot.parent, slot.key, value);
    if (status)
        luaL_error(L, "a key that is not UTF-8");
    return value;
}

static void read_list(lua_State *L, int index, struct slot slot, int depth)
{
    json_t *list = attach(L, slot, json_array());
    int count = (int)lua_objlen(L, index);

    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, index, i);
        read_value(L, lua_gettop(L), (struct slot){slot.tree, list, NULL}, depth + 1);
        lua_pop(L, 1);
    }
}

/* { key, value, key, value, ... } */
static void read_pairs(lua_State *L, int index, struct slot slot, int depth)
{
    json_t *object = attach(L, slot, json_object());
    int count = (int)lua_objlen(L, index);

    for (int i = 1; i < count; i += 2) {
        lua_rawgeti(L, index, i);
        luaL_checktype(L, -1, LUA_TSTRING);
        lua_rawgeti(L, index, i + 1);
        read_value(L, lua_gettop(L), (struct slot){slot.tree, object, lua_tostring(L, -2)},
                   depth + 1);
        lua_pop(L, 2);
    }
}

static void read_object(lua_State *L, int index, struct slot slot, int depth)
{
    json_t *object = attach(L, slot, json_object());

    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "a key that is a %s", luaL_typename(L, -2));
        read_value(L, lua_gettop(L), (struct slot){slot.tree, object, lua_tostring(L, -2)},
                   depth + 1);
        lua_pop(L, 1);
    }
}

/* A JSON text that goes in as it is: its whole numbers keep all their digits. */
static void read_text(lua_State *L, int index, struct slot slot)
{
    struct slice text;
    json_t *value;

    lua_rawgeti(L, index, 1);
    text.data = luaL_checklstring(L, -1, &text.len);
    value = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
    if (!value)
        luaL_error(L, "a text that is no JSON");
    attach(L, slot, value);
    lua_pop(L, 1);
}

static void read_table(lua_State *L, int index, struct slot slot, int depth)
{
    if (depth >= DEPTH_MAX)
        luaL_error(L, "tables nested deeper than %d", DEPTH_MAX);
    luaL_checkstack(L, 8, "JSON");
    if (has_type(L, index, text_type))
        read_text(L, index, slot);
    else if (has_type(L, index, object_type))
        read_pairs(L, index, slot, depth);
    else if (has_type(L, index, array_type) || lua_objlen(L, index) > 0)
        read_list(L, index, slot, depth);
    else
        read_object(L, index, slot, depth);
}

static void read_value(lua_State *L, int index, struct slot slot, int depth)
{
    struct slice text;
    lua_Number number;

    switch (lua_type(L, index)) {
    case LUA_TNIL:
        attach(L, slot, json_null());
        break;
    case LUA_TBOOLEAN:
        attach(L, slot, json_boolean(lua_toboolean(L, index)));
        break;
    case LUA_TNUMBER:
        number = lua_tonumber(L, index);
        if (!isfinite(number))
            luaL_error(L, "a number that is not finite");
        attach(L, slot,
               number == floor(number) && fabs(number) < 1e15 ? json_integer((json_int_t)number)
                                                              : json_real(number));
        break;
    case LUA_TSTRING:
        text.data = lua_tolstring(L, index, &text.len);
        attach(L, slot, json_stringn(text.data, text.len));
        break;
    case LUA_TTABLE:
        read_table(L, index, slot, depth);
        break;
    default:
        if (!lua_islightuserdata(L, index) || lua_touserdata(L, index))
            luaL_error(L, "a value that is a %s", luaL_typename(L, index));
        attach(L, slot, json_null());
    }
}

static int encode_body(lua_State *L)
{
    struct tree *tree = luaL_checkudata(L, 2, tree_type);
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15), len;
    char *out;

    read_value(L, 1, (struct slot){tree, NULL, NULL}, 0);
    len = json_dumpb(tree->root, NULL, 0, flags);
    out = lua_newuserdata(L, len + 1);
    CHECK(json_dumpb(tree->root, out, len, flags) == len);
    lua_pushlstring(L, out, len);
    return 1;
}

static int host_json_encode(lua_State *L)
{
    struct tree *tree;
    int status;

    lua_settop(L, 1);
    tree = push_tree(L);
    lua_pushcfunction(L, encode_body);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    status = lua_pcall(L, 2, 1, 0);
    json_decref(tree->root);
    tree->root = NULL;
    if (status == 0)
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

/* ---- to Lua */

static void push_value(lua_State *L, const json_t *value, int depth);

static void push_list(lua_State *L, const json_t *list, int depth)
{
    size_t count = json_array_size(list);

    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_value(L, json_array_get(list, i), depth + 1);
        lua_rawseti(L, -2, (int)i + 1);
    }
    luaL_getmetatable(L, array_type);
    lua_setmetatable(L, -2);
}

static void push_object(lua_State *L, const json_t *object, int depth)
{
    const char *key;
    json_t *value;

    lua_newtable(L);
    json_object_foreach((json_t *)object, key, value)
    {
        push_value(L, value, depth + 1);
        lua_setfield(L, -2, key);
    }
}

static void push_value(lua_State *L, const json_t *value, int depth)
{
    if (depth >= DEPTH_MAX)
        luaL_error(L, "nested deeper than %d", DEPTH_MAX);
    luaL_checkstack(L, 4, "JSON");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        push_object(L, value, depth);
        break;
    case JSON_ARRAY:
        push_list(L, value, depth);
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        lua_pushnumber(L, json_number_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(value));
        break;
    case JSON_NULL:
        lua_pushlightuserdata(L, NULL);
        break;
    }
}

static int decode_body(lua_State *L)
{
    struct tree *tree = luaL_checkudata(L, 1, tree_type);

    push_value(L, tree->root, 0);
    return 1;
}

static int host_json_decode(lua_State *L)
{
    struct slice text = api_slice(L, 1);
    struct tree *tree = push_tree(L);
    json_error_t why;
    int status;

    tree->root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!tree->root)
        return api_refuse(L, why.text);
    lua_pushcfunction(L, decode_body);
    lua_pushvalue(L, -2);
    status = lua_pcall(L, 1, 1, 0);
    json_decref(tree->root);
    tree->root = NULL;
    if (status == 0)
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int mark(lua_State *L, const char *type)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_getmetatable(L, type);
    lua_setmetatable(L, 1);
    return 1;
}

static int host_json_array(lua_State *L)
{
    return mark(L, array_type);
}

static int host_json_object(lua_State *L)
{
    return mark(L, object_type);
}

static int host_json_text(lua_State *L)
{
    return mark(L, text_type);
}

static const luaL_Reg functions[] = {
    {"json_text", host_json_text},
    {"json_encode", host_json_encode},
    {"json_decode", host_json_decode},
    {"json_array", host_json_array},
    {"json_object", host_json_object},
    {NULL, NULL},
};

static void new_type(lua_State *L, const char *name, lua_CFunction collect)
{
    luaL_newmetatable(L, name);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    if (collect) {
        lua_pushcfunction(L, collect);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
}

void api_json_open(lua_State *L)
{
    new_type(L, tree_type, tree_collect);
    new_type(L, array_type, NULL);
    new_type(L, object_type, NULL);
    new_type(L, text_type, NULL);
    luaL_setfuncs(L, functions, 0);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
}
