/* What an example gives to a health policy or the page, and what came of it. */
#include "config/page.h"
#include "control/control.h"
#include "control/health_judge.h"
#include "control/pages.h"
#include "script/api.h"
#include "script/examples_state.h"
#include "script/script_bench.h"
#include "script/vm_health.h"
#include "script/vm_page.h"
#include "script/vm_state.h"

#include <lauxlib.h>

/* The nth of the list at the top, as a table; its fields are read with key. */
static double result_number(lua_State *L, const char *key, double otherwise)
{
    double number;

    lua_getfield(L, -1, key);
    number = luaL_optnumber(L, -1, otherwise);
    lua_pop(L, 1);
    return number;
}

static const char *const answers[] = {
    [HEALTH_ANSWER_HEALTHY] = "healthy",
    [HEALTH_ANSWER_DEGRADED] = "degraded",
    [HEALTH_ANSWER_DOWN] = "down",
};

/* A check under way, fed with results. */
struct feeding {
    struct vm *vm;
    const char *policy;
    struct health_history history;
    struct health_judgement judgement;
    bool judged;
    double since_ms; /* of the state */
};

/* One result, a table at the top: error (a text, or nil when it passed), latency_ms, status, after_ms. */
static void feed(lua_State *L, struct feeding *f)
{
    enum health_answer before = f->judgement.answer;
    struct health_facts facts;

    lua_getfield(L, -1, "error");
    facts = (struct health_facts){.error = lua_tostring(L, -1), .state = before};
    lua_pop(L, 1); /* the list goes on to hold it */
    f->since_ms += result_number(L, "after_ms", 0);
    health_history_add(&f->history, !facts.error);
    facts.history = f->history;
    facts.state_ms = (uint64_t)f->since_ms;
    facts.latency_ms = (uint64_t)result_number(L, "latency_ms", 0);
    facts.status = (int)result_number(L, "status", 0);
    f->judgement = health_judge(f->vm, f->policy, &facts, &f->judgement, &f->judged);
    if (f->judgement.answer == before)
        return;
    if (f->history.count > 1)
        health_history_mark_change(&f->history);
    f->since_ms = 0;
}

static void push_judgement(lua_State *L, const struct feeding *f)
{
    lua_createtable(L, 0, 4);
    if (f->vm->failure.text[0]) {
        api_set_text(L, "failed", f->vm->failure.text);
        return;
    }
    api_set_text(L, "state", answers[f->judgement.answer]);
    if (f->judgement.reason[0])
        api_set_text(L, "reason", f->judgement.reason);
    api_set_number(L, "share", f->judgement.share);
}

/* Feeds all of the list at the top to a check that begins with them. */
static void feed_all(lua_State *L, struct feeding *f)
{
    int count = (int)lua_objlen(L, -1);

    *f = (struct feeding){.vm = f->vm, .policy = f->policy, .judgement = {.share = 1}};
    for (int i = 1; i <= count && !f->vm->failure.text[0]; i++) {
        lua_rawgeti(L, -1, i);
        feed(L, f);
        lua_pop(L, 1);
    }
}

/* { results = list, oldest first } -> state, reason, share */
int examples_given_health(lua_State *L)
{
    struct examples *e = examples_of_state(L);
    struct feeding f = {.vm = examples_vm(L)};
    char name[65];

    luaL_checktype(L, 1, LUA_TTABLE);
    snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(examples_script_name(e)));
    f.policy = name;
    f.vm->failure.text[0] = '\0';
    lua_getfield(L, 1, "results");
    feed_all(L, &f);
    for (unsigned i = 0; i < examples_repeats(e); i++)
        feed_all(L, &f);
    push_judgement(L, &f);
    return 1;
}

static enum verdict verdict_named(lua_State *L, struct slice name)
{
    for (int i = 0; i < VERDICT_COUNT; i++)
        if (verdict_table[i].status && slice_eq(verdict_table[i].name, name))
            return (enum verdict)i;
    luaL_error(L, "given: verdict: there is no \"%s\" (no_route, connect_refused, circuit_open, maintenance, ...)",
               name.data);
    return VERDICT_PASS;
}

/* { verdict =, service =, reason =, expected_end_ms = } -> html, json, text */
int examples_given_page(lua_State *L)
{
    static const char *const formats[PAGE_FORMATS] = {
        [PAGE_HTML] = "html", [PAGE_JSON] = "json", [PAGE_TEXT] = "text"};
    struct examples *e = examples_of_state(L);
    struct vm *vm = examples_vm(L);
    struct page_facts facts;
    struct page *page = NULL;
    struct error err;

    luaL_checktype(L, 1, LUA_TTABLE);
    facts = pages_facts(verdict_named(L, examples_text(L, "verdict")));
    facts.service = examples_text(L, "service");
    facts.reason = examples_text(L, "reason");
    facts.expected_end_ms = (uint64_t)examples_number(L, "expected_end_ms", 0);
    lua_createtable(L, 0, PAGE_FORMATS);
    for (unsigned i = 0; i <= examples_repeats(e); i++) {
        page_unref(page);
        if (e->bench)
            script_bench_part(e->bench, "page, all formats");
        if (!vm_render_page(vm, &facts, &page, &err)) {
            api_set_text(L, "failed", err.text);
            return 1;
        }
    }
    CHECK(page);
    for (int i = 0; i < PAGE_FORMATS; i++) {
        lua_pushlstring(L, page->body[i].whole.data, page->body[i].whole.len);
        lua_setfield(L, -2, formats[i]);
    }
    page_unref(page);
    return 1;
}
