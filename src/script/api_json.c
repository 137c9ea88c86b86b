/* host: JSON, by jansson. A tree and its text hang on a userdata while they are made, so that an
 * error loses nothing. Neither grows without end, as a table that holds another twice, and so on,
 * would have it; both stop when the call's time is up. */
#include "base/check.h"
#include "script/api.h"
#include "script/api_packed.h"
#include "script/vm_call.h"

#include <jansson.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

enum {
    DEPTH_MAX = 32,
    VALUES_MAX = 250000,         /* that a text may have */
    TREE_MAX = 32 * 1024 * 1024, /* bytes of the texts in it */
    LOOK_EVERY = 1024,           /* bytes and pieces of a text that is written */
    PARSED_MAX = 64 * 1024       /* bytes of a text that is read, in one go */
};

static const char tree_type[] = "tidelock.json";
static const char array_type[] = "tidelock.json.array";
static const char object_type[] = "tidelock.json.object";
static const char text_type[] = "tidelock.json.text";

struct tree {
    json_t *root;    /* NULL: none */
    unsigned values; /* in it */
    size_t bytes;    /* of texts in it */
    lua_State *L;
    char *text; /* what it is written as, or NULL */
    size_t len, size, max;
    size_t unlooked; /* bytes and pieces since the clock was looked at */
    bool starved; /* there was no memory to write it */
    bool endless; /* it would have had more in it than a tree may */
};

static void tree_clear(struct tree *tree)
{
    json_decref(tree->root);
    tree->root = NULL;
    free(tree->text);
    tree->text = NULL;
}

static int tree_collect(lua_State *L)
{
    tree_clear(luaL_checkudata(L, 1, tree_type));
    return 0;
}

static struct tree *push_tree(lua_State *L)
{
    struct tree *tree = lua_newuserdata(L, sizeof(*tree));

    *tree = (struct tree){.L = L};
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

/* Counts a value with a text of so many bytes, before it is made. */
static void count_value(lua_State *L, struct tree *tree, size_t bytes)
{
    vm_spend(L, 32 + (unsigned)(bytes / 2));
    tree->bytes += bytes;
    tree->endless = ++tree->values > VALUES_MAX || tree->bytes > TREE_MAX;
    if (tree->endless)
        luaL_error(L, "more than %d values or %d bytes", VALUES_MAX, TREE_MAX);
}

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
    if (text.len > PARSED_MAX)
        luaL_error(L, "a JSON text of more than %d bytes", PARSED_MAX);
    count_value(L, slot.tree, text.len * 16);
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

    count_value(L, slot.tree, lua_type(L, index) == LUA_TSTRING ? lua_objlen(L, index) : 0);
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

/* Is the time up? Nearly all pieces are a few bytes, and a look at the clock costs as much as ten of them. */
static bool is_late(struct tree *tree, size_t len)
{
    tree->unlooked += len + 1;
    if (tree->unlooked < LOOK_EVERY)
        return false;
    tree->unlooked = 0;
    return vm_expired(tree->L);
}

/* Adds a piece of the text; not 0 ends the writing. */
static int write_piece(const char *piece, size_t len, void *arg)
{
    struct tree *tree = arg;
    char *text;

    if (len > tree->max - tree->len || is_late(tree, len))
        return -1;
    if (len > tree->size - tree->len) {
        text = realloc(tree->text, 2 * tree->size + len + 256);
        tree->starved = !text;
        if (!text)
            return -1;
        tree->size = 2 * tree->size + len + 256;
        tree->text = text;
    }
    memcpy(tree->text + tree->len, piece, len);
    tree->len += len;
    return 0;
}

/* The text of the value at 1, in the tree at 2; absent: it would be longer than max. */
static struct slice write_text(lua_State *L, size_t max)
{
    struct tree *tree = luaL_checkudata(L, 2, tree_type);
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);

    read_value(L, 1, (struct slot){tree, NULL, NULL}, 0);
    tree->max = max;
    if (json_dump_callback(tree->root, write_piece, tree, flags) == 0)
        return slice_of(tree->text, tree->len);
    if (vm_expired(L))
        luaL_error(L, "the time is up");
    if (tree->starved)
        luaL_error(L, "out of memory");
    return slice_of(NULL, 0);
}

static int encode_body(lua_State *L)
{
    struct slice text = write_text(L, VM_TEXT_MAX);

    if (text.data)
        lua_pushlstring(L, text.data, text.len);
    else
        lua_pushboolean(L, 0);
    return 1;
}

static int pack_body(lua_State *L)
{
    struct slice text = write_text(L, PACKED_TEXT_MAX);

    if (text.data)
        api_push_packed(L, text);
    else
        lua_pushboolean(L, 0);
    return 1;
}

/* What body makes of the value at 1; false: too long; or nil, reason. */
static int encode(lua_State *L, lua_CFunction body)
{
    struct tree *tree;
    int status;

    lua_settop(L, 1);
    tree = push_tree(L);
    lua_pushcfunction(L, body);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    status = lua_pcall(L, 2, 1, 0);
    tree_clear(tree);
    if (status == 0)
        return 1;
    if (tree->endless) {
        lua_pushboolean(L, 0);
        return 1;
    }
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int host_json_encode(lua_State *L)
{
    return encode(L, encode_body);
}

static int host_json_pack(lua_State *L)
{
    return encode(L, pack_body);
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

    if (text.len > PARSED_MAX)
        return luaL_error(L, "json.decode: more than %d bytes", PARSED_MAX);
    vm_spend(L, (unsigned)text.len * 4);
    tree->root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!tree->root)
        return api_refuse(L, why.text);
    lua_pushcfunction(L, decode_body);
    lua_pushvalue(L, -2);
    status = lua_pcall(L, 1, 1, 0);
    tree_clear(tree);
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
    {"json_pack", host_json_pack},
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
