/* Methods of the request in a policy that read it, in place. */
#include "base/sock.h"
#include "script/api.h"
#include "script/hook_state.h"

#include <lauxlib.h>

static struct slice find_field(const struct http_head *head, struct slice name)
{
    for (unsigned i = 0; i < head->field_count; i++)
        if (slice_eq_nocase(head->fields[i].name, name))
            return head->fields[i].value;
    return slice_of(NULL, 0);
}

/* req:header(name) -> text or nil */
static int request_header(lua_State *L)
{
    const struct hook_exchange *ex = hook_arg_request(L);
    struct slice name = api_slice(L, 2);
    const struct hook_field *edit = hook_edit_of(ex, name);

    return hook_push(L, edit ? edit->value : find_field(ex->head, name));
}

void hook_join_field(lua_State *L, struct slice name, struct slice value)
{
    luaL_Buffer lower;

    luaL_buffinit(L, &lower);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        luaL_addchar(&lower, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
    }
    luaL_pushresult(&lower);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        hook_push(L, value);
    } else {
        lua_pushliteral(L, ", ");
        hook_push(L, value);
        lua_concat(L, 3);
    }
    lua_rawset(L, -3);
}

/* req:headers() -> table of lower case names */
static int request_headers(lua_State *L)
{
    const struct hook_exchange *ex = hook_arg_request(L);

    lua_createtable(L, 0, (int)ex->head->field_count);
    for (unsigned i = 0; i < ex->head->field_count; i++)
        if (!hook_edit_of(ex, ex->head->fields[i].name))
            hook_join_field(L, ex->head->fields[i].name, ex->head->fields[i].value);
    for (unsigned i = 0; i < ex->edit_count; i++)
        if (ex->edit[i].value.data)
            hook_join_field(L, ex->edit[i].name, ex->edit[i].value);
    return 1;
}

static int request_method(lua_State *L)
{
    return hook_push(L, hook_arg_request(L)->head->method_text);
}

static struct slice target_of(const struct hook_exchange *ex)
{
    return ex->target.data ? ex->target : ex->head->path;
}

/* Path and query of a target; the query is absent without a "?". */
static struct slice split_target(struct slice target, struct slice *query)
{
    struct slice path = target;

    *query = target;
    (void)slice_split(query, '?', &path);
    return path;
}

/* req:path() -> without the query */
static int request_path(lua_State *L)
{
    struct slice query;

    return hook_push(L, split_target(target_of(hook_arg_request(L)), &query));
}

/* req:query() -> behind the "?", or nil */
static int request_query(lua_State *L)
{
    struct slice query;

    (void)split_target(target_of(hook_arg_request(L)), &query);
    return hook_push(L, query);
}

/* req:target() -> path and query */
static int request_target(lua_State *L)
{
    return hook_push(L, target_of(hook_arg_request(L)));
}

/* req:host() -> without the port */
static int request_host(lua_State *L)
{
    return hook_push(L, hook_arg_request(L)->host);
}

/* req:authority() -> host and port as the client wrote them */
static int request_authority(lua_State *L)
{
    struct slice authority = hook_arg_request(L)->head->host;

    return hook_push(L, authority.data ? authority : SLICE(""));
}

/* req:scheme() -> "https" or "http": as a trusted proxy says, else as the client speaks to us */
static int request_scheme(lua_State *L)
{
    const struct hook_exchange *ex = hook_arg_request(L);
    struct slice proto = find_field(ex->head, SLICE("x-forwarded-proto"));
    bool https = proto.data && ex->ops->is_trusted(ex->request) ? slice_eq_nocase(proto, SLICE("https"))
                                                                : ex->ops->is_secure(ex->request);

    return hook_push(L, https ? SLICE("https") : SLICE("http"));
}

/* req:source() -> the client's address */
static int request_source(lua_State *L)
{
    const struct hook_exchange *ex = hook_arg_request(L);
    char text[ADDRESS_TEXT_SIZE];
    struct address source;

    ex->ops->source(ex->request, &source);
    return hook_push(L, slice_of(text, address_format_ip(&source, text)));
}

/* req:source_in(range, ...) -> is the client's address in one of them? */
static int request_source_in(lua_State *L)
{
    const struct hook_exchange *ex = hook_arg_request(L);
    int count = lua_gettop(L);
    struct address source;
    struct cidr range;
    bool found = false;

    ex->ops->source(ex->request, &source);
    for (int i = 2; i <= count; i++) {
        if (cidr_parse(api_slice(L, i), &range) != 0)
            return luaL_error(L, "not an address range: \"%s\"", lua_tostring(L, i));
        found = found || cidr_contains(&range, &source);
    }
    lua_pushboolean(L, found);
    return 1;
}

/* req:cookie(name) -> text or nil */
static int request_cookie(lua_State *L)
{
    const struct http_head *head = hook_arg_request(L)->head;
    struct slice name = api_slice(L, 2), pair, key;

    for (unsigned i = 0; i < head->field_count; i++) {
        struct slice rest = head->fields[i].value;

        if (!slice_eq_nocase(head->fields[i].name, SLICE("cookie")))
            continue;
        while (slice_split(&rest, ';', &pair)) {
            if (slice_split(&pair, '=', &key) && slice_eq(slice_trim(key), name) && pair.data)
                return hook_push(L, slice_trim(pair));
        }
    }
    lua_pushnil(L);
    return 1;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Pushes a part of a query with its escapes resolved; a broken escape stays as it is. */
static void push_decoded(lua_State *L, struct slice s)
{
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    for (size_t i = 0; i < s.len; i++) {
        int high = s.data[i] == '%' && i + 2 < s.len ? hex_value(s.data[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.data[i + 2]) : -1;

        if (low >= 0) {
            luaL_addchar(&out, (char)(high * 16 + low));
            i += 2;
        } else {
            luaL_addchar(&out, s.data[i] == '+' ? ' ' : s.data[i]);
        }
    }
    luaL_pushresult(&out);
}

/* req:query_arg(name) -> text, escapes resolved, or nil */
static int request_query_arg(lua_State *L)
{
    struct slice name = api_slice(L, 2), rest, pair, key;

    (void)split_target(target_of(hook_arg_request(L)), &rest);
    while (slice_split(&rest, '&', &pair)) {
        if (!slice_split(&pair, '=', &key) || !slice_eq(key, name))
            continue;
        push_decoded(L, pair.data ? pair : SLICE(""));
        return 1;
    }
    lua_pushnil(L);
    return 1;
}

/* req:arg(key, default) -> text of the option policy_args */
static int request_arg(lua_State *L)
{
    const struct hook_exchange *ex = hook_arg_request(L);
    struct slice value;

    if (hook_find_arg(ex->args, api_slice(L, 2), &value))
        return hook_push(L, value);
    lua_settop(L, 3);
    return 1;
}

/* req:random() -> number from 0 on, below 1 */
static int request_random(lua_State *L)
{
    const struct hook_exchange *ex = hook_arg_request(L);

    if (UNLIKELY(ex->given && ex->given->random >= 0))
        lua_pushnumber(L, ex->given->random);
    else
        lua_pushnumber(L, (lua_Number)(random_next(ex->random) >> 11) * 0x1p-53);
    return 1;
}

static int request_kept(lua_State *L)
{
    return hook_push(L, hook_arg_request(L)->kept);
}

static const luaL_Reg methods[] = {
    {"header", request_header},       {"headers", request_headers},
    {"method", request_method},       {"path", request_path},
    {"query", request_query},         {"target", request_target},
    {"host", request_host},           {"authority", request_authority},
    {"scheme", request_scheme},       {"source", request_source},
    {"source_in", request_source_in}, {"cookie", request_cookie},
    {"query_arg", request_query_arg}, {"arg", request_arg},
    {"random", request_random},       {"kept", request_kept},
    {NULL, NULL},
};

void hook_request_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
