#include "script/api.h"

#include "control/control.h"
#include "control/registry.h"
#include "script/vm_state.h"

#include <lauxlib.h>
#include <string.h>

static char vm_key; /* into the Lua registry, by address */
static char pending_sign;

static const char connection_type[] = "tidelock.connection";
static const char session_type[] = "tidelock.session";

struct connection_handle {
    uint64_t serial;
};

struct session_handle {
    char id[SESSION_ID_SIZE];
};

struct vm *vm_of(lua_State *L)
{
    struct vm *vm;

    lua_pushlightuserdata(L, &vm_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    vm = lua_touserdata(L, -1);
    lua_pop(L, 1);
    CHECK(vm);
    return vm;
}

void api_push_connection(lua_State *L, const struct connection *conn)
{
    struct connection_handle *handle = lua_newuserdata(L, sizeof(*handle));

    handle->serial = conn->serial;
    luaL_getmetatable(L, connection_type);
    lua_setmetatable(L, -2);
}

void api_push_session(lua_State *L, const struct session *s)
{
    struct session_handle *handle = lua_newuserdata(L, sizeof(*handle));

    memcpy(handle->id, s->id, sizeof(handle->id));
    luaL_getmetatable(L, session_type);
    lua_setmetatable(L, -2);
}

struct connection *api_connection(lua_State *L, int index)
{
    struct connection_handle *handle = luaL_checkudata(L, index, connection_type);
    struct connection *conn = registry_find(vm_of(L)->control, handle->serial);

    if (!conn)
        luaL_error(L, "stale handle: the connection is closed");
    return conn;
}

struct session *api_session(lua_State *L, int index)
{
    struct session_handle *handle = luaL_checkudata(L, index, session_type);
    struct session *s = model_find(&vm_of(L)->control->model, slice_str(handle->id));

    if (!s)
        luaL_error(L, "stale handle: the session is gone");
    return s;
}

struct slice api_slice(lua_State *L, int index)
{
    struct slice text;

    luaL_checktype(L, index, LUA_TSTRING);
    text.data = lua_tolstring(L, index, &text.len);
    return text;
}

int api_true(lua_State *L)
{
    lua_pushboolean(L, 1);
    return 1;
}

int api_refuse(lua_State *L, const char *reason)
{
    lua_pushnil(L);
    lua_pushstring(L, reason);
    return 2;
}

int api_pending(lua_State *L)
{
    lua_pushlightuserdata(L, &pending_sign);
    return 1;
}

void api_set_text(lua_State *L, const char *key, const char *value)
{
    if (!value)
        return;
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

void api_set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

void api_set_flag(lua_State *L, const char *key, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

void api_push_texts(lua_State *L, const char *const *texts, unsigned count)
{
    lua_createtable(L, (int)count, 0);
    for (unsigned i = 0; i < count; i++) {
        lua_pushstring(L, texts[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* Pushes the metatable of a type, with an empty table of methods on top of it. */
static void new_type(lua_State *L, const char *name)
{
    luaL_newmetatable(L, name);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
}

void api_open(lua_State *L, struct vm *vm)
{
    lua_pushlightuserdata(L, &vm_key);
    lua_pushlightuserdata(L, vm);
    lua_rawset(L, LUA_REGISTRYINDEX);
    new_type(L, connection_type);
    api_conn_open(L);
    api_scripts_open(L);
    api_certificates_open(L);
    api_proxy_open(L);
    lua_pop(L, 2);
    new_type(L, session_type);
    api_session_open(L);
    api_state_open(L);
    api_route_open(L);
    api_circuit_open(L);
    api_drain_open(L);
    api_maintenance_open(L);
    lua_pop(L, 2);
    lua_newtable(L);
    api_host_open(L);
    api_text_open(L);
    api_json_open(L);
}
