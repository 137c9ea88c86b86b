#include "script/vm_health.h"

#include "base/clock.h"
#include "control/control.h"
#include "control/scripts.h"
#include "script/api.h"
#include "script/sandbox.h"
#include "script/vm_state.h"

#include <lauxlib.h>
#include <string.h>

/* A policy that took half of its budget and failed is not asked again for this long, so that even
 * one that never ends leaves the thread to others. */
enum { REST_MS = 10 * 1000, LOG_EVERY_MS = 1000 };

static const char *const answers[] = {
    [HEALTH_ANSWER_HEALTHY] = "healthy",
    [HEALTH_ANSWER_DEGRADED] = "degraded",
    [HEALTH_ANSWER_DOWN] = "down",
};

enum { ANSWERS = sizeof(answers) / sizeof(answers[0]) };

/* One question. */
struct question {
    const char *policy;
    const struct health_facts *facts;
    struct health_judgement *answer; /* as it is before, then what the policy says */
};

static struct vm_policy *find_policy(const struct vm *vm, const char *name)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &vm->policies) {
        struct vm_policy *policy = CONTAINER_OF(node, struct vm_policy, link);

        if (strcmp(policy->name, name) == 0)
            return policy;
    }
    return NULL;
}

bool vm_has_policy(const struct vm *vm, const char *name)
{
    return find_policy(vm, name) != NULL;
}

bool vm_policy_off(const struct vm *vm, const char *name)
{
    const struct vm_policy *policy = find_policy(vm, name);

    return policy && policy->off;
}

static void push_results(lua_State *L, const struct health_history *h)
{
    lua_createtable(L, (int)h->count, 0);
    for (unsigned i = 0; i < h->count; i++) {
        lua_pushboolean(L, health_history_passed(h, i));
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "results");
}

static void push_check(lua_State *L, const struct health_facts *facts,
                       const struct health_judgement *before)
{
    const struct health_history *h = &facts->history;

    lua_createtable(L, 0, 12);
    push_results(L, h);
    api_set_number(L, "count", h->count);
    api_set_number(L, "passed", health_history_passed_run(h));
    api_set_number(L, "failed", health_history_failed_run(h));
    api_set_number(L, "changes", health_history_changes(h));
    api_set_text(L, "state", answers[facts->state]);
    api_set_text(L, "reason", before->reason[0] ? before->reason : NULL);
    api_set_number(L, "share", before->share);
    api_set_number(L, "since_ms", (double)facts->state_ms);
    api_set_number(L, "latency_ms", (double)facts->latency_ms);
    if (facts->status)
        api_set_number(L, "status", facts->status);
    api_set_text(L, "error", facts->error);
}

/* The state, reason and share that lua/health has checked. */
static void take_answer(lua_State *L, struct health_judgement *out)
{
    const char *state = luaL_checkstring(L, -3);
    const char *reason = luaL_optstring(L, -2, "");
    int answer = 0;

    while (answer < ANSWERS && strcmp(state, answers[answer]) != 0)
        answer++;
    if (answer == ANSWERS)
        vm_raise(L, "lua/health let %s through", state);
    out->answer = (enum health_answer)answer;
    out->share = answer == HEALTH_ANSWER_DEGRADED ? luaL_checknumber(L, -1)
                 : answer == HEALTH_ANSWER_DOWN   ? 0
                                                  : 1;
    snprintf(out->reason, sizeof(out->reason), "%s", reason);
}

static int judge_body(lua_State *L)
{
    const struct question *q = lua_touserdata(L, 1);

    sandbox_require(L, "health");
    lua_getfield(L, -1, "judge");
    lua_pushstring(L, q->policy);
    push_check(L, q->facts, q->answer);
    lua_call(L, 2, 3);
    take_answer(L, q->answer);
    return 0;
}

/* Is its failure worth a line? The first of a row is, but at most one a second. */
static bool may_log(const struct vm_policy *policy, uint64_t now_ms)
{
    return !policy->failed && (!policy->logged_ms || now_ms - policy->logged_ms >= LOG_EVERY_MS);
}

bool vm_judge(struct vm *vm, const char *name, const struct health_facts *facts,
              struct health_judgement *out)
{
    struct vm_policy *policy = find_policy(vm, name);
    struct health_judgement answer = *out;
    struct question q = {name, facts, &answer};
    uint64_t start = clock_ms(), budget_ms = vm->control->settings->script_health_ms;
    bool logs;
    char what[96];
    struct error err;

    ASSERT_CONTROL();
    CHECK(policy && facts->history.count > 0);
    if (policy->off || start < policy->rests_until_ms)
        return false;
    snprintf(what, sizeof(what), "health policy %s", name);
    logs = may_log(policy, start);
    if (vm_run(vm, logs ? what : NULL, judge_body, &q, budget_ms, &err)) {
        *out = answer;
        policy->failed = false;
        return true;
    }
    policy->failed = true;
    if (logs)
        policy->logged_ms = start;
    if (clock_ms() - start >= budget_ms / 2)
        policy->rests_until_ms = clock_ms() + REST_MS;
    if (scripts_too_many(vm->control, &policy->failures)) {
        policy->off = true;
        scripts_note_policy_off(vm->control, name, &err);
    }
    return false;
}
