/* Methods of the response in a policy: its head, about to be sent. */
#include "config/route_state.h"
#include "http/status.h"
#include "script/api.h"
#include "script/hook_state.h"

#include <lauxlib.h>

static int response_status(lua_State *L)
{
    lua_pushinteger(L, hook_arg_response(L)->status);
    return 1;
}

/* res:set_status(n): of the same kind, with or without a body */
static int response_set_status(lua_State *L)
{
    struct hook_response *res = hook_arg_response(L);
    lua_Number status = luaL_checknumber(L, 2);

    if (!(status >= 200 && status <= 599) || status != (lua_Number)(int)status)
        return luaL_error(L, "a status is a whole number from 200 to 599");
    if (http_status_has_body((int)status) != http_status_has_body(res->status))
        return luaL_error(L, "%d cannot become %d: one has a body, the other none", res->status,
                          (int)status);
    res->status = (int)status;
    return 0;
}

/* res:header(name) -> text or nil */
static int response_header(lua_State *L)
{
    const struct hook_response *res = hook_arg_response(L);

    return hook_push(L, field_list_find(res->fields, api_slice(L, 2)));
}

static void add_field(lua_State *L, struct field_list *fields, struct slice name, struct slice value)
{
    field_list_copy(fields, name, value);
    if (UNLIKELY(fields->overflow))
        vm_raise(L, "the response has too many headers, or too long ones");
}

/* res:set_header(name, value); nil takes it away */
static int response_set_header(lua_State *L)
{
    const struct hook_response *res = hook_arg_response(L);
    struct slice name = hook_arg_name(L, 2), value = slice_of(NULL, 0);

    if (!lua_isnoneornil(L, 3))
        value = hook_arg_value(L, 3);
    field_list_remove(res->fields, name);
    if (value.data)
        add_field(L, res->fields, name, value);
    return 0;
}

/* res:add_header(name, value): beside what is there */
static int response_add_header(lua_State *L)
{
    const struct hook_response *res = hook_arg_response(L);
    struct slice name = hook_arg_name(L, 2), value = hook_arg_value(L, 3);

    add_field(L, res->fields, name, value);
    return 0;
}

/* res:is_own() -> does the proxy answer itself? */
static int response_is_own(lua_State *L)
{
    lua_pushboolean(L, hook_arg_response(L)->own);
    return 1;
}

/* res:verdict() -> why the proxy answers itself, as in the access log; nil for a backend's response */
static int response_verdict(lua_State *L)
{
    const struct hook_response *res = hook_arg_response(L);

    return hook_push(L, res->own ? res->verdict : slice_of(NULL, 0));
}

/* res:set_body(text, content_type): of the proxy's own answer */
static int response_set_body(lua_State *L)
{
    struct hook_response *res = hook_arg_response(L);
    struct slice body = api_slice(L, 2), type = hook_arg_value(L, 3);

    if (!res->own)
        return luaL_error(L, "the body of a backend's response passes as it is");
    if (!http_status_has_body(res->status))
        return luaL_error(L, "an answer with status %d has no body", res->status);
    field_list_remove(res->fields, SLICE("Content-Type"));
    add_field(L, res->fields, SLICE("Content-Type"), type);
    hook_take_body(L, &hook_vm_of(L)->exchange->page, body);
    return 0;
}

static int response_kept(lua_State *L)
{
    (void)hook_arg_response(L);
    return hook_push(L, hook_vm_of(L)->exchange->kept);
}

/* res:member() -> a text that stands for the member the response comes from; nil: none */
static int response_member(lua_State *L)
{
    const struct hook_response *res = hook_arg_response(L);
    char text[17];

    if (!res->state || res->own)
        return hook_push(L, slice_of(NULL, 0));
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)res->state->identity);
    return hook_push(L, slice_str(text));
}

static int push_of_state(lua_State *L, const struct route_state *state, const char *text)
{
    return hook_push(L, state ? slice_str(text) : slice_of(NULL, 0));
}

static int response_instance(lua_State *L)
{
    const struct route_state *state = hook_arg_response(L)->state;

    return push_of_state(L, state, state ? state->instance : NULL);
}

static int response_service(lua_State *L)
{
    const struct route_state *state = hook_arg_response(L)->state;

    return push_of_state(L, state, state ? state->service : NULL);
}

static const luaL_Reg methods[] = {
    {"status", response_status},
    {"set_status", response_set_status},
    {"header", response_header},
    {"set_header", response_set_header},
    {"add_header", response_add_header},
    {"is_own", response_is_own},
    {"verdict", response_verdict},
    {"set_body", response_set_body},
    {"kept", response_kept},
    {"member", response_member},
    {"instance", response_instance},
    {"service", response_service},
    {NULL, NULL},
};

void hook_response_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
