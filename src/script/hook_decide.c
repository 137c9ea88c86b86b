/* Methods of the request in a policy that say what becomes of it; within on_request only. */
#include "http/path.h"
#include "http/status.h"
#include "script/api.h"
#include "script/hook_state.h"

#include <lauxlib.h>

/* The request of a method that decides: it has not been sent yet. */
static struct hook_exchange *arg_open(lua_State *L)
{
    struct hook_exchange *ex = hook_arg_request(L);

    if (UNLIKELY(hook_vm_of(L)->response != NULL))
        vm_raise(L, "too late: within on_response the request can be read only");
    return ex;
}

static struct hook_field *edit_of(lua_State *L, struct hook_exchange *ex, struct slice name)
{
    for (unsigned i = 0; i < ex->edit_count; i++)
        if (slice_eq_nocase(ex->edit[i].name, name))
            return &ex->edit[i];
    if (ex->edit_count == HOOK_EDITS_MAX)
        vm_raise(L, "a policy may set %d headers of a request", HOOK_EDITS_MAX);
    return &ex->edit[ex->edit_count];
}

/* req:set_header(name, value); nil takes it away */
static int request_set_header(lua_State *L)
{
    struct hook_exchange *ex = arg_open(L);
    struct slice name = hook_arg_name(L, 2), value = slice_of(NULL, 0);
    struct hook_field *edit;

    if (!lua_isnoneornil(L, 3))
        value = hook_arg_value(L, 3);
    edit = edit_of(L, ex, name);
    if (edit == &ex->edit[ex->edit_count]) {
        edit->name = hook_keep(L, ex, name);
        edit->value = slice_of(NULL, 0);
        ex->edit_count++;
    }
    edit->value = value.data ? hook_keep(L, ex, value) : value;
    return 0;
}

static void set_target(lua_State *L, struct hook_exchange *ex, struct slice path, struct slice query)
{
    struct slice target = hook_keep(L, ex, path);

    if (query.data) {
        target.len += hook_keep(L, ex, SLICE("?")).len; /* text follows text */
        target.len += hook_keep(L, ex, query).len;
    }
    ex->target = target;
}

/* In the form that backends get; in memory that Lua frees. */
static struct slice normal_path(lua_State *L, struct slice path)
{
    struct path_result form;
    char *text = lua_newuserdata(L, path.len);

    switch (path_normalise(path, text, &form)) {
    case PATH_REFUSED:
        luaL_error(L, "%s", form.error);
        return path;
    case PATH_MADE:
        return slice_of(text, form.len);
    default:
        return path;
    }
}

/* req:set_path(path): what the backend gets; the query stays */
static int request_set_path(lua_State *L)
{
    struct hook_exchange *ex = arg_open(L);
    struct slice path = api_slice(L, 2), rest = ex->target.data ? ex->target : ex->head->path, old = rest;

    if (!path.len || path.data[0] != '/' || !http_is_target(path) || memchr(path.data, '?', path.len))
        return luaL_error(L, "not a path: \"%s\"", path.data);
    path = normal_path(L, path);
    (void)slice_split(&rest, '?', &old);
    set_target(L, ex, path, rest);
    return 0;
}

/* req:set_query(query); nil takes it away */
static int request_set_query(lua_State *L)
{
    struct hook_exchange *ex = arg_open(L);
    struct slice rest = ex->target.data ? ex->target : ex->head->path, path = rest, query = slice_of(NULL, 0);

    if (!lua_isnoneornil(L, 2)) {
        query = api_slice(L, 2);
        if (query.len && !http_is_target(query))
            return luaL_error(L, "not a query: \"%s\"", query.data);
    }
    (void)slice_split(&rest, '?', &path);
    set_target(L, ex, path, query);
    return 0;
}

/* req:set_host(host): the Host that the backend gets */
static int request_set_host(lua_State *L)
{
    struct hook_exchange *ex = arg_open(L);
    struct slice text = api_slice(L, 2), host, port;

    if (!http_split_authority(text, &host, &port))
        return luaL_error(L, "not a host: \"%s\"", text.data);
    ex->to_host = hook_keep(L, ex, text);
    return 0;
}

static int choose(lua_State *L, enum hook_choice how)
{
    struct hook_exchange *ex = arg_open(L);
    struct slice who = api_slice(L, 2);

    if (ex->choice_count == HOOK_CHOICES_MAX)
        return luaL_error(L, "a policy may choose %d times", HOOK_CHOICES_MAX);
    ex->choice[ex->choice_count].who = hook_keep(L, ex, who);
    ex->choice[ex->choice_count++].how = how;
    return 0;
}

/* req:use(who), req:avoid(who), req:only(who), req:exclude(who) */
static int request_use(lua_State *L)
{
    return choose(L, HOOK_USE);
}

static int request_avoid(lua_State *L)
{
    return choose(L, HOOK_AVOID);
}

static int request_only(lua_State *L)
{
    return choose(L, HOOK_ONLY);
}

static int request_exclude(lua_State *L)
{
    return choose(L, HOOK_EXCLUDE);
}

/* req:rate_key(text): whom the rate limit counts */
static int request_rate_key(lua_State *L)
{
    struct hook_exchange *ex = arg_open(L);

    ex->rate_key = hook_keep(L, ex, api_slice(L, 2));
    return 0;
}

/* req:keep(text): for res:kept() */
static int request_keep(lua_State *L)
{
    struct hook_exchange *ex = arg_open(L);

    ex->kept = hook_keep(L, ex, api_slice(L, 2));
    return 0;
}

static bool is_key(struct slice text)
{
    if (!text.len || text.len > 32)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return true;
}

/* req:tag(key, value): tag_KEY in the access log */
static int request_tag(lua_State *L)
{
    struct hook_exchange *ex = hook_arg_request(L);
    struct slice key = api_slice(L, 2), value;

    value.data = luaL_checklstring(L, 3, &value.len);
    if (!is_key(key))
        return luaL_error(L, "a tag's key is a-z, 0-9 and _, at most 32 of them: \"%s\"", key.data);
    if (ex->tag_count == HOOK_TAGS_MAX)
        return luaL_error(L, "a request may have %d tags", HOOK_TAGS_MAX);
    ex->tag[ex->tag_count].name = hook_keep(L, ex, key);
    ex->tag[ex->tag_count].value = hook_keep(L, ex, value);
    ex->tag_count++;
    return 0;
}

/* Adds a field of the answer; name and value are on top of the stack. */
static void add_answer_field(lua_State *L, struct hook_exchange *ex)
{
    struct slice name, value;

    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
        vm_raise(L, "headers of an answer are texts: { [\"Name\"] = \"value\" }");
    name = hook_arg_name(L, lua_gettop(L) - 1);
    value = hook_arg_value(L, lua_gettop(L));
    if (ex->edit_count == HOOK_EDITS_MAX)
        vm_raise(L, "an answer may have %d headers", HOOK_EDITS_MAX);
    ex->edit[ex->edit_count].name = hook_keep(L, ex, name);
    ex->edit[ex->edit_count].value = hook_keep(L, ex, value);
    ex->edit_count++;
}

/* req:answer(status, headers, body): the proxy answers, nothing is sent on */
static int request_answer(lua_State *L)
{
    struct hook_exchange *ex = arg_open(L);
    lua_Number status = luaL_checknumber(L, 2);
    struct slice body = SLICE("");

    if (!(status >= 200 && status <= 599) || status != (lua_Number)(int)status)
        return luaL_error(L, "an answer's status is a whole number from 200 to 599");
    if (!lua_isnoneornil(L, 3))
        luaL_checktype(L, 3, LUA_TTABLE);
    if (!lua_isnoneornil(L, 4))
        body = api_slice(L, 4);
    if (body.len && !http_status_has_body((int)status))
        return luaL_error(L, "an answer with status %d has no body", (int)status);
    ex->edit_count = 0;
    if (lua_istable(L, 3)) {
        lua_pushnil(L);
        while (lua_next(L, 3)) {
            add_answer_field(L, ex);
            lua_pop(L, 1);
        }
    }
    hook_take_body(L, &ex->answer, body);
    ex->status = (int)status;
    return 0;
}

static const luaL_Reg methods[] = {
    {"set_header", request_set_header}, {"set_path", request_set_path},
    {"set_query", request_set_query},   {"set_host", request_set_host},
    {"use", request_use},               {"avoid", request_avoid},
    {"only", request_only},             {"exclude", request_exclude},
    {"rate_key", request_rate_key},     {"keep", request_keep},
    {"tag", request_tag},               {"answer", request_answer},
    {NULL, NULL},
};

void hook_answer_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
