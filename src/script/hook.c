#include "script/hook.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "config/route_state.h"
#include "script/api.h"
#include "script/bundle.h"
#include "script/hook_state.h"
#include "script/sandbox.h"
#include "script/vm.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* REST: times the budget. */
enum { FAILURES_WINDOW_MS = 60 * 1000, LOG_EVERY_MS = 1000, REST = 10 };

/* Where things stand on the state's stack, outside of calls. */
enum { ON_STACK_HANDLER = 1, ON_STACK_REQUEST, ON_STACK_RESPONSE };

struct hook_vm *hook_vm_of(lua_State *L)
{
    void *limits;

    lua_getallocf(L, &limits);
    return CONTAINER_OF(limits, struct hook_vm, limits);
}

static int on_error(lua_State *L)
{
    const char *message = lua_tostring(L, 1);

    if (!message)
        message = lua_pushfstring(L, "an error that is a %s", luaL_typename(L, 1));
    luaL_traceback(L, L, message, 1);
    return 1;
}

/* ---- making one */

/* Pushes a handle with the methods that open adds. */
static const void *push_handle(lua_State *L, const char *type, void (*const *opens)(lua_State *))
{
    const void *handle = lua_newuserdata(L, 1);

    lua_newtable(L);
    lua_pushstring(L, type);
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    for (; *opens; opens++)
        (*opens)(L);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return handle;
}

static int open_body(lua_State *L)
{
    static void (*const request[])(lua_State *) = {hook_request_open, hook_answer_open, NULL};
    static void (*const response[])(lua_State *) = {hook_response_open, NULL};
    int *refs = lua_touserdata(L, 1);
    struct hook_vm *vm = hook_vm_of(L);

    lua_newtable(L);
    api_host_open(L);
    api_json_open(L);
    hook_host_open(L);
    sandbox_open(L);
    lua_pushcfunction(L, on_error);
    refs[0] = luaL_ref(L, LUA_REGISTRYINDEX);
    vm->request_handle = push_handle(L, "request", request);
    refs[1] = luaL_ref(L, LUA_REGISTRYINDEX);
    vm->response_handle = push_handle(L, "response", response);
    refs[2] = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* One policy on its way into the VM. */
struct load {
    struct hook_policy *policy;
    const struct bundle_file *file;
};

static int take_function(lua_State *L)
{
    if (lua_isfunction(L, -1))
        return luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    return 0;
}

static int load_body(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);

    sandbox_require(L, "policy");
    lua_getfield(L, -1, "define");
    lua_pushstring(L, load->policy->own);
    lua_pushstring(L, load->file->path);
    sandbox_compile(L, slice_of(load->file->text, load->file->len), load->file->path);
    lua_call(L, 0, 1);
    lua_pushboolean(L, hook_vm_of(L)->trial);
    lua_call(L, 4, 3);
    load->policy->closed = lua_toboolean(L, -1);
    lua_pop(L, 1);
    load->policy->on_response = take_function(L);
    load->policy->on_request = take_function(L);
    return 0;
}

/* The name of a file without folder and ".lua"; one that is too long is cut, and refused when it is loaded. */
static void take_name(struct hook_policy *p, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    int len = (int)(strlen(name) - strlen(".lua"));

    snprintf(p->own, sizeof(p->own), "%.*s", len, name);
    p->name = slice_str(p->own);
}

static bool load_policy(const struct bundle_file *file, void *arg)
{
    struct hook_vm *vm = arg;
    struct hook_policy *p;
    struct load load = {.file = file};
    struct error err;

    if (vm->count == HOOK_POLICIES_MAX)
        return error_set(&vm->error, "policies: more than %d scripts", HOOK_POLICIES_MAX);
    p = load.policy = &vm->policies[vm->count++];
    take_name(p, file->path);
    p->mark = file->mark;
    if (vm_call(vm->L, NULL, load_body, &load, vm->load_ms, &err))
        return true;
    p->broken = p->closed = true;
    bundle_name_error(file->path, &err);
    if (!vm->error.text[0])
        vm->error = err;
    return true;
}

/* Without a state every policy is unknown, and so fails. */
static struct hook_vm *vm_make(const struct bundle *bundle, uint64_t load_ms, bool trial)
{
    struct hook_vm *vm = calloc(1, sizeof(*vm));
    int refs[ON_STACK_RESPONSE];

    CHECK(vm);
    vm->generation = bundle->generation;
    vm->L = vm_state_new(&vm->limits, HOOK_MEMORY);
    vm->load_ms = load_ms;
    vm->trial = trial;
    vm->limits.latest_us = clock_us() + load_ms * 1000;
    if (!vm->L)
        error_set(&vm->error, "not enough memory for a VM");
    if (!vm->L || !vm_call(vm->L, NULL, open_body, refs, load_ms, &vm->error)) {
        vm_state_close(vm->L);
        vm->L = NULL;
        return vm;
    }
    for (int i = 0; i < ON_STACK_RESPONSE; i++)
        lua_rawgeti(vm->L, LUA_REGISTRYINDEX, refs[i]);
    (void)bundle_each(bundle, "policies", load_policy, vm);
    vm->limits.latest_us = 0;
    vm->room = vm->limits.used + (vm->limits.cap - vm->limits.used) / 2;
    return vm;
}

static struct hook_vm *make_for_worker(const struct bundle *bundle)
{
    struct hook_vm *vm = vm_make(bundle, 2 * HOOK_LOAD_MS, false);

    if (vm->error.text[0])
        log_write(LOG_ERROR, "a request policy does not load", "error=\"%s\"", vm->error.text);
    return vm;
}

/* A VM without what policies kept in the one before; what is known of their failures stays. */
static struct hook_vm *make_anew(struct hook_vm *old, const struct bundle *bundle)
{
    struct hook_vm *vm = make_for_worker(bundle);

    log_write(LOG_WARN, "request policies keep memory from call to call: their VM is made anew",
              "bytes=%zu", old->limits.used);
    for (unsigned i = 0; i < vm->count && i < old->count; i++) {
        vm->policies[i].failures = old->policies[i].failures;
        vm->policies[i].window_ms = old->policies[i].window_ms;
        vm->policies[i].logged_ms = old->policies[i].logged_ms;
        vm->policies[i].rests_until_ms = old->policies[i].rests_until_ms;
    }
    hook_vm_free(old);
    return vm;
}

struct hook_vm *hook_vm_get(struct hook_vm **vm, const struct bundle *bundle)
{
    if (UNLIKELY(!*vm || (*vm)->generation != bundle->generation)) {
        hook_vm_free(*vm);
        *vm = make_for_worker(bundle);
    } else if (UNLIKELY((*vm)->full)) {
        *vm = make_anew(*vm, bundle);
    }
    return *vm;
}

void hook_vm_free(struct hook_vm *vm)
{
    if (!vm)
        return;
    vm_state_close(vm->L);
    free(vm);
}

bool hook_check(const struct bundle *bundle, uint64_t load_ms, struct error *err)
{
    struct hook_vm *vm = vm_make(bundle, load_ms < HOOK_LOAD_MS ? load_ms : HOOK_LOAD_MS, true);
    bool ok = !vm->error.text[0];

    ASSERT_CONTROL();
    *err = vm->error;
    hook_vm_free(vm);
    return ok;
}

/* ---- calling */

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

static void failed(struct hook_vm *vm, struct hook_policy *p, uint64_t now_ms, const char *error)
{
    if (!p->failures || now_ms - p->window_ms > FAILURES_WINDOW_MS) {
        p->failures = 0;
        p->window_ms = now_ms;
    }
    if (may_log(&p->logged_ms, now_ms))
        log_write(LOG_ERROR, "request policy failed", "policy=%s error=%s", p->own, error);
    if (++p->failures >= HOOK_FAILURES_MAX)
        switch_off(vm, p, error);
}

/* After a failed call: the message is on top of the stack. now_ms is that of the loop's turn, so a policy rests at
 * least until the next one. */
static void recover(struct hook_vm *vm, struct hook_policy *p, const struct hook_exchange *ex)
{
    const char *error = lua_tostring(vm->L, -1);
    uint64_t budget_us = ex->budget_ms * 1000;

    if (clock_us() + budget_us / 2 >= vm->limits.deadline_us)
        p->rests_until_ms = clock_ms() + REST * ex->budget_ms;
    failed(vm, p, ex->now_ms, error ? error : "no message");
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
        failed(vm, p, ex->now_ms, "it did not load");
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

void hook_body_free(struct hook_body *body)
{
    free(body->data);
    *body = (struct hook_body){0};
}

void hook_exchange_clear(struct hook_exchange *ex)
{
    hook_body_free(&ex->answer);
    hook_body_free(&ex->page);
    ex->target = ex->to_host = ex->rate_key = ex->kept = slice_of(NULL, 0);
    ex->status = 0;
    ex->edit_count = ex->tag_count = ex->choice_count = 0;
    ex->text_len = 0;
}

bool hook_names_member(struct slice who, const struct route_state *state)
{
    char id[17];

    if (slice_eq(who, slice_str(state->instance)) || slice_eq(who, slice_str(state->service)) ||
        slice_eq(who, slice_str(state->route_id)))
        return true;
    if (who.len != sizeof(id) - 1)
        return false;
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)state->identity);
    return slice_eq(who, slice_of(id, sizeof(id) - 1));
}
