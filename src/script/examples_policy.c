/* What an example gives to a request policy, and what came of it: script/hook.h as a worker uses it. */
#include "base/clock.h"
#include "base/need.h"
#include "base/sock.h"
#include "config/route_state.h"
#include "config/settings.h"
#include "control/control.h"
#include "guard/verdict.h"
#include "http/parse.h"
#include "http/path.h"
#include "http/status.h"
#include "script/api.h"
#include "script/bundle.h"
#include "script/examples_state.h"
#include "script/hook_state.h"
#include "script/script_bench.h"

#include <lauxlib.h>
#include <stdlib.h>

enum { MEMBERS_MAX = 16 };

struct given_policy {
    struct http_head head;
    struct address source;
    bool secure, trusted;
    struct random random;
    struct hook_given given;
    struct route_state *members[MEMBERS_MAX];
    unsigned member_count;
    struct hook_exchange exchange;
    struct field_list fields;
    struct hook_response response;
    bool failed;
};

static void give_source(const void *request, struct address *out)
{
    *out = ((const struct given_policy *)request)->source;
}

static bool give_secure(const void *request)
{
    return ((const struct given_policy *)request)->secure;
}

static bool give_trust(const void *request)
{
    return ((const struct given_policy *)request)->trusted;
}

static const struct hook_ops ops = {give_source, give_secure, give_trust};

static void forget(struct given_policy *g)
{
    hook_exchange_clear(&g->exchange);
    while (g->member_count)
        route_state_unref(g->members[--g->member_count]);
}

void examples_end_policy(struct examples *e)
{
    if (!e->policy)
        return;
    forget(e->policy);
    free(e->policy);
    e->policy = NULL;
}

static struct given_policy *begin(struct examples *e)
{
    hook_vm_free(e->hooks); /* with what it knows of failures */
    e->hooks = NULL;
    if (e->policy)
        forget(e->policy);
    else
        e->policy = need_zeroed(1, sizeof(*e->policy));
    return e->policy;
}

/* ---- what is given */

static void take_head(lua_State *L, struct given_policy *g, const struct settings *s)
{
    struct http_limits limits = {(uint32_t)s->head_size, (uint32_t)s->header_count, (uint32_t)s->target_length};
    struct slice text = examples_text(L, "head");
    struct http_scan scan = {0};
    const char *error = "its head is not complete";
    size_t used;

    if (http_parse_request(&g->head, text.data, text.len, &scan, &limits, &used, &error) != PARSE_DONE)
        luaL_error(L, "given: no request that gets to a policy: %s", error);
}

/* As worker/target.c does it; in memory that Lua frees, as the head's text. */
static void take_path(lua_State *L, struct given_policy *g)
{
    struct slice target = g->head.path, query = target, path = target;
    struct path_result form;
    char *text;

    if (target.data[0] != '/')
        return;
    (void)slice_split(&query, '?', &path);
    query = slice_skip(target, path.len);
    text = lua_newuserdata(L, target.len);
    lua_setfield(L, 1, "path_form"); /* held as long as what is given */
    switch (path_normalise(path, text, &form)) {
    case PATH_REFUSED:
        luaL_error(L, "given: no request that gets to a policy: %s", form.error);
        break;
    case PATH_MADE:
        memcpy(text + form.len, query.data, query.len);
        g->head.path = slice_of(text, form.len + query.len);
        break;
    case PATH_PLAIN:
        break;
    }
}

/* A text of the member that is the table at the top. */
static const char *member_text(lua_State *L, const char *key)
{
    const char *text;

    lua_getfield(L, -1, key);
    text = luaL_checkstring(L, -1);
    lua_pop(L, 1);
    return text;
}

static void take_members(lua_State *L, struct given_policy *g)
{
    int count;

    lua_getfield(L, 1, "members");
    count = (int)lua_objlen(L, -1);
    if (count > MEMBERS_MAX)
        luaL_error(L, "given: at most %d members", MEMBERS_MAX);
    for (int i = 1; i <= count; i++) {
        const char *instance, *service, *route;

        lua_rawgeti(L, -1, i);
        instance = member_text(L, "instance");
        service = member_text(L, "service");
        route = member_text(L, "route");
        g->members[g->member_count++] = route_state_new(instance, route, service, instance, 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void take_request(lua_State *L, struct given_policy *g, const struct examples *e)
{
    const struct settings *settings = e->of->control->settings;
    struct hook_exchange *ex = &g->exchange;
    struct slice address = examples_text(L, "source");

    take_head(L, g, settings);
    take_path(L, g);
    if (address_parse_ip(address, 0, &g->source) < 0)
        luaL_error(L, "given: source: not an address: \"%s\"", address.data);
    g->secure = examples_flag(L, "secure");
    g->trusted = examples_flag(L, "trusted");
    g->given.wall_ms = (uint64_t)examples_number(L, "now_ms", 0);
    g->given.random = examples_number(L, "random", -1);
    random_init(&g->random, clock_us());
    take_members(L, g);
    ex->ops = &ops;
    ex->request = g;
    ex->head = &g->head;
    ex->host = g->head.host.len ? g->head.host_name : SLICE("");
    ex->args = examples_text(L, "args");
    ex->random = &g->random;
    ex->given = &g->given;
    ex->now_ms = clock_ms();
    ex->budget_ms = settings->script_policy_ms;
    ex->failures_max = 0; /* it is never switched off */
    ex->failures_window_ms = 1;
}

/* ---- the calls */

static struct hook_vm *hooks_of(struct examples *e)
{
    return hook_vm_get(&e->hooks, e->of->bundle);
}

/* A call of the script; measured where that is asked for. */
static enum hook_result call(struct examples *e, struct given_policy *g, struct hook_response *res)
{
    struct hook_vm *vm = hooks_of(e);
    struct slice name = examples_script_name(e);
    enum hook_result result;

    if (e->bench)
        script_bench_start(e->bench, vm->L, &vm->limits);
    result = res ? hook_response(vm, name, &g->exchange, res) : hook_request(vm, name, &g->exchange);
    if (e->bench)
        script_bench_stop(e->bench, vm->L, &vm->limits,
                          !vm->count || !(res ? vm->policies[0].on_response : vm->policies[0].on_request) ? NULL
                          : res                                                                           ? "on_response"
                                                                                                          : "on_request",
                          g->exchange.budget_ms);
    g->failed = g->failed || result == HOOK_FAILED;
    return result;
}

/* The head that on_response is about: of the answer, else of the response that is given. */
static void take_response(lua_State *L, struct given_policy *g, bool answered)
{
    struct slice verdict = examples_text(L, "verdict");
    struct hook_response *res = &g->response;
    double from = examples_number(L, "from", 0);

    field_list_reset(&g->fields);
    *res = (struct hook_response){.fields = &g->fields, .own = answered || verdict.len, .verdict = verdict};
    if (from >= 1 && from <= g->member_count)
        res->state = g->members[(unsigned)from - 1];
    if (answered) {
        res->verdict = verdict_table[VERDICT_POLICY_ANSWER].name;
        res->status = g->exchange.status;
        hook_answer_fields(&g->exchange, &g->fields);
        return;
    }
    res->status = (int)examples_number(L, "status", 200);
    lua_getfield(L, 1, "fields");
    for (int i = 1; i + 1 <= (int)lua_objlen(L, -1); i += 2) {
        lua_rawgeti(L, -1, i);
        lua_rawgeti(L, -2, i + 1);
        field_list_add(&g->fields, api_slice(L, -2), api_slice(L, -1));
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

/* Both hooks, as for one request. True: it is answered by the policy. */
static bool run(lua_State *L, struct examples *e, struct given_policy *g)
{
    bool answered;

    hook_exchange_clear(&g->exchange);
    g->failed = false;
    answered = call(e, g, NULL) == HOOK_ANSWER;
    if (g->failed)
        return false;
    take_response(L, g, answered);
    (void)call(e, g, &g->response);
    return answered;
}

/* ---- what came of it */

static void set_text(lua_State *L, const char *key, struct slice text)
{
    if (!text.data)
        return;
    lua_pushlstring(L, text.data, text.len);
    lua_setfield(L, -2, key);
}

static void set_fields(lua_State *L, const struct field_list *fields)
{
    lua_createtable(L, 0, (int)fields->count);
    for (unsigned i = 0; i < fields->count; i++)
        hook_join_field(L, fields->field[i].name, fields->field[i].value);
    lua_setfield(L, -2, "headers");
}

static void set_request(lua_State *L, const struct given_policy *g)
{
    const struct hook_exchange *ex = &g->exchange;
    struct slice target = ex->target.data ? ex->target : g->head.path, rest = target, path = target;
    struct field_list *fields = need(sizeof(*fields));

    field_list_reset(fields);
    for (unsigned i = 0; i < g->head.field_count; i++)
        field_list_add(fields, g->head.fields[i].name, g->head.fields[i].value);
    if (!ex->status)
        hook_edit_fields(ex, fields);
    set_fields(L, fields);
    free(fields);
    (void)slice_split(&rest, '?', &path);
    set_text(L, "target", target);
    set_text(L, "path", path);
    set_text(L, "query", rest);
    set_text(L, "host", ex->to_host.data ? ex->to_host : g->head.host);
    set_text(L, "rate_key", ex->rate_key);
    set_text(L, "kept", ex->kept);
    lua_createtable(L, 0, (int)ex->tag_count);
    for (unsigned i = 0; i < ex->tag_count; i++) {
        hook_push(L, ex->tag[i].name);
        hook_push(L, ex->tag[i].value);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "tags");
}

/* Those that a request goes to as long as they can take it: the best that the policy left. */
static void set_members(lua_State *L, const struct given_policy *g)
{
    enum hook_member best = HOOK_MEMBER_NEVER;
    int count = 0;

    for (unsigned i = 0; i < g->member_count; i++) {
        enum hook_member m = hook_member(&g->exchange, g->members[i]);

        best = m < best ? m : best;
    }
    lua_newtable(L);
    for (unsigned i = 0; best != HOOK_MEMBER_NEVER && i < g->member_count; i++) {
        if (hook_member(&g->exchange, g->members[i]) != best)
            continue;
        lua_pushstring(L, g->members[i]->instance);
        lua_rawseti(L, -2, ++count);
    }
    lua_setfield(L, -2, "members");
}

static void set_response(lua_State *L, const struct given_policy *g, bool answered)
{
    const struct hook_body *body = &g->exchange.page;

    if (answered && !body->data)
        body = &g->exchange.answer;
    lua_createtable(L, 0, 4);
    api_set_number(L, "status", g->response.status);
    set_fields(L, &g->fields);
    set_text(L, "body", slice_of(body->data, body->data ? body->len : 0));
    lua_setfield(L, -2, answered ? "answer" : "response");
}

/* Calls often enough to be measured. */
static void measure(lua_State *L, struct examples *e, struct given_policy *g)
{
    for (unsigned i = 0; i < examples_repeats(e) && !g->failed; i++)
        (void)run(L, e, g);
}

int examples_given_policy(lua_State *L)
{
    struct examples *e = examples_of_state(L);
    struct given_policy *g = begin(e);
    bool answered;

    luaL_checktype(L, 1, LUA_TTABLE);
    take_request(L, g, e);
    answered = run(L, e, g);
    measure(L, e, g);
    lua_createtable(L, 0, 12);
    if (g->failed) {
        set_text(L, "failed", slice_str(hook_failure(hooks_of(e))));
        api_set_flag(L, "refused", hook_is_closed(hooks_of(e), examples_script_name(e)));
        return 1;
    }
    set_request(L, g);
    set_members(L, g);
    set_response(L, g, answered);
    return 1;
}
