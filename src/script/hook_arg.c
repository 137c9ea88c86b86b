/* What the functions of the request policies' API have in common: their arguments and results. */
#include "script/hook_state.h"

#include <lauxlib.h>
#include <stdlib.h>

struct hook_exchange *hook_arg_request(lua_State *L)
{
    struct hook_vm *vm = hook_vm_of(L);

    if (UNLIKELY(!vm->exchange || lua_touserdata(L, 1) != vm->request_handle))
        vm_raise(L, "call it as a method of the request, req:name(...), within on_request or on_response");
    return vm->exchange;
}

struct hook_response *hook_arg_response(lua_State *L)
{
    struct hook_vm *vm = hook_vm_of(L);

    if (UNLIKELY(!vm->response || lua_touserdata(L, 1) != vm->response_handle))
        vm_raise(L, "call it as a method of the response, res:name(...), within on_response");
    return vm->response;
}

static struct slice arg_text(lua_State *L, int index)
{
    struct slice text;

    text.data = luaL_checklstring(L, index, &text.len);
    return text;
}

/* Fields that say where a message ends or what a connection is for: the proxy's own business. */
static bool is_framing(struct slice name)
{
    switch (http_field_id(name)) {
    case FIELD_HOST:
    case FIELD_CONNECTION:
    case FIELD_CONTENT_LENGTH:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_TE:
    case FIELD_TRAILER:
    case FIELD_UPGRADE:
    case FIELD_KEEP_ALIVE:
    case FIELD_PROXY_CONNECTION:
    case FIELD_EXPECT:
    case FIELD_VIA:
        return true;
    default:
        return false;
    }
}

struct slice hook_arg_name(lua_State *L, int index)
{
    struct slice name = arg_text(L, index);

    if (UNLIKELY(!http_is_token(name)))
        vm_raise(L, "not a header name: \"%s\"", name.data);
    if (UNLIKELY(is_framing(name)))
        vm_raise(L, "the header %s is the proxy's own", name.data);
    return name;
}

struct slice hook_arg_value(lua_State *L, int index)
{
    struct slice value = arg_text(L, index);

    if (UNLIKELY(!http_is_field_value(value)))
        vm_raise(L, "not a header value: it has control characters");
    return slice_trim(value);
}

struct slice hook_keep(lua_State *L, struct hook_exchange *ex, struct slice text)
{
    char *to = ex->text + ex->text_len;

    if (UNLIKELY(HOOK_TEXT_SIZE - ex->text_len < text.len))
        vm_raise(L, "a request may get %d bytes of text from its policy", HOOK_TEXT_SIZE);
    if (text.len)
        memcpy(to, text.data, text.len);
    ex->text_len += (uint32_t)text.len;
    return slice_of(to, text.len);
}

void hook_take_body(lua_State *L, struct hook_body *body, struct slice text)
{
    if (text.len > HOOK_BODY_MAX)
        vm_raise(L, "a body may have %d bytes", HOOK_BODY_MAX);
    hook_body_free(body);
    body->data = malloc(text.len + 1);
    if (!body->data)
        vm_raise(L, "not enough memory");
    memcpy(body->data, text.data, text.len);
    body->len = text.len;
}

int hook_push(lua_State *L, struct slice text)
{
    if (text.data)
        lua_pushlstring(L, text.data, text.len);
    else
        lua_pushnil(L);
    return 1;
}

/* The value at the front of *rest, which ends with its quote or at a blank. */
static struct slice take_value(struct slice *rest)
{
    bool quoted = rest->len && (rest->data[0] == '"' || rest->data[0] == '\'');
    char end = quoted ? rest->data[0] : ' ';
    struct slice value;

    if (quoted)
        *rest = slice_skip(*rest, 1);
    if (!slice_split(rest, end, &value))
        return SLICE("");
    return value;
}

bool hook_find_arg(struct slice args, struct slice key, struct slice *value)
{
    struct slice rest = slice_trim(args), name;

    while (rest.data && rest.len) {
        const char *equals = memchr(rest.data, '=', rest.len);

        if (!equals)
            return false;
        name = slice_of(rest.data, (size_t)(equals - rest.data));
        rest = slice_skip(rest, name.len + 1);
        *value = take_value(&rest);
        if (slice_eq(name, key))
            return true;
        if (rest.data)
            rest = slice_trim(rest);
    }
    return false;
}
