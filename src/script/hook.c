#include "script/hook.h"

#include "base/clock.h"
#include "base/log.h"
#include "config/route_state.h"
#include "script/bundle.h"
#include "script/hook_state.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* REST: times the budget. */
enum { LOG_EVERY_MS = 1000, REST = 10 };

static struct hook_policy *find_policy(const struct hook_vm *vm, struct slice name)
{
    for (unsigned i = 0; i < vm->count; i++)
        if (slice_eq(vm->policies[i].name, name))
            return (struct hook_policy *)&vm->policies[i];
    return NULL;
}

bool hook_is_closed(const struct hook_vm *vm, struct slice policy)
{
    const struct hook_policy *p = find_policy(vm, policy);

    return !p || p->closed;
}

/* Is it time for another line? At most one a second. */
static bool may_log(uint64_t *logged_ms, uint64_t now_ms)
{
    if (*logged_ms && now_ms - *logged_ms < LOG_EVERY_MS)
        return false;
    *logged_ms = now_ms;
    return true;
}

static enum hook_result unknown(struct hook_vm *vm, struct slice name, uint64_t now_ms)
{
    if (may_log(&vm->unknown_logged_ms, now_ms))
        log_write(LOG_ERROR, "request policy unknown", "policy=%.*s", SLICE_ARGS(name));
    return HOOK_FAILED;
}

static bool is_off(const struct bundle_mark *mark)
{
    return atomic_load_explicit(&mark->off, memory_order_relaxed) != 0;
}

bool hook_is_off(const struct bundle *bundle, struct slice policy)
{
    const struct bundle_file *file;
    char path[128];

    snprintf(path, sizeof(path), "policies/%.*s.lua", SLICE_ARGS(policy));
    file = bundle_find(bundle, path);
    return file && is_off(file->mark);
}

bool hook_take_end(struct hook_vm *vm, struct hook_end *out)
{
    *out = vm->end;
    vm->end.generation = 0;
    return out->generation != 0;
}

static void switch_off(struct hook_vm *vm, const struct hook_policy *p, const char *error)
{
    if (atomic_exchange_explicit(&p->mark->off, 1, memory_order_relaxed))
        return;
    vm->end = (struct hook_end){.generation = vm->generation, .closed = p->closed};
    memcpy(vm->end.policy, p->own, sizeof(vm->end.policy));
    error_set(&vm->end.error, "%.*s", (int)strcspn(error, "\n"), error);
}

static void failed(struct hook_vm *vm, struct hook_policy *p, const struct hook_exchange *ex,
                   const char *error)
{
    uint64_t now_ms = ex->now_ms;

    if (!p->failures || now_ms - p->window_ms > ex->failures_window_ms) {
        p->failures = 0;
        p->window_ms = now_ms;
    }
    if (may_log(&p->logged_ms, now_ms))
        log_write(LOG_ERROR, "request policy failed", "policy=%s error=%s", p->own, error);
    if (++p->failures >= ex->failures_max && ex->failures_max)
        switch_off(vm, p, error);
}

/* After a failed call: the message is on top of the stack. now_ms is that of the loop's turn, so a policy rests at
 * least until the next one. */
static void recover(struct hook_vm *vm, struct hook_policy *p, const struct hook_exchange *ex)
{
    const char *error = lua_tostring(vm->L, -1);
    uint64_t budget_us = ex->budget_ms * 1000;

    error_set(&vm->error, "%.*s", error ? (int)strcspn(error, "\n") : 0, error ? error : "");
    if (clock_us() + budget_us / 2 >= vm->limits.deadline_us)
        p->rests_until_ms = clock_ms() + REST * ex->budget_ms;
    failed(vm, p, ex, error ? error : "no message");
    lua_settop(vm->L, ON_STACK_RESPONSE);
    vm_clean(&vm->limits);
}

/* After a call that left more than there is room for: is it garbage, or does a policy keep it from others? */
static void look_at_memory(struct hook_vm *vm)
{
    vm->limits.starved = true;
    vm_clean(&vm->limits);
    vm->full = vm->limits.used > vm->room;
}

static enum hook_result run(struct hook_vm *vm, struct slice policy, struct hook_exchange *ex,
                            struct hook_response *res)
{
    struct hook_policy *p = find_policy(vm, policy);
    lua_State *L = vm->L;
    int function, status;

    if (!p)
        return unknown(vm, policy, ex->now_ms);
    if (UNLIKELY(is_off(p->mark) || ex->now_ms < p->rests_until_ms))
        return HOOK_OFF;
    if (p->broken) {
        failed(vm, p, ex, "it did not load");
        return HOOK_FAILED;
    }
    function = res ? p->on_response : p->on_request;
    if (!function)
        return HOOK_PASS;
    vm->exchange = ex;
    vm->response = res;
    vm_clock_start(&vm->limits, ex->budget_ms);
    lua_rawgeti(L, LUA_REGISTRYINDEX, function);
    if (res)
        lua_pushvalue(L, ON_STACK_RESPONSE);
    lua_pushvalue(L, ON_STACK_REQUEST);
    status = lua_pcall(L, res ? 2 : 1, 0, ON_STACK_HANDLER);
    vm_clock_stop(&vm->limits);
    vm->exchange = NULL;
    vm->response = NULL;
    if (UNLIKELY(status))
        recover(vm, p, ex);
    CHECK(lua_gettop(L) == ON_STACK_RESPONSE);
    if (UNLIKELY(vm->limits.used > vm->room))
        look_at_memory(vm);
    return status ? HOOK_FAILED : HOOK_PASS;
}

enum hook_result hook_request(struct hook_vm *vm, struct slice policy, struct hook_exchange *ex)
{
    enum hook_result result = run(vm, policy, ex, NULL);

    return result == HOOK_PASS && ex->status ? HOOK_ANSWER : result;
}

enum hook_result hook_response(struct hook_vm *vm, struct slice policy, struct hook_exchange *ex,
                               struct hook_response *res)
{
    return run(vm, policy, ex, res);
}

const char *hook_failure(const struct hook_vm *vm)
{
    return vm->error.text;
}
