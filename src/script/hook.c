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

enum { FAILURES_WINDOW_MS = 60 * 1000, LOG_EVERY_MS = 1000 };

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
    lua_call(L, 3, 3);
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
    if (vm_call(vm->L, NULL, load_body, &load, BUDGET_LOAD_MS, &err))
        return true;
    p->broken = p->closed = true;
    if (!vm->error.text[0])
        vm->error = err;
    return true;
}

/* Without a state every policy is unknown, and so fails. */
static struct hook_vm *vm_make(const struct bundle *bundle)
{
    struct hook_vm *vm = calloc(1, sizeof(*vm));
    int refs[ON_STACK_RESPONSE];

    CHECK(vm);
    vm->generation = bundle->generation;
    vm->L = vm_state_new(&vm->limits, HOOK_MEMORY);
    if (!vm->L)
        error_set(&vm->error, "not enough memory for a VM");
    if (!vm->L || !vm_call(vm->L, NULL, open_body, refs, BUDGET_LOAD_MS, &vm->error)) {
        vm_state_close(vm->L);
        vm->L = NULL;
        return vm;
    }
    for (int i = 0; i < ON_STACK_RESPONSE; i++)
        lua_rawgeti(vm->L, LUA_REGISTRYINDEX, refs[i]);
    (void)bundle_each(bundle, "policies", load_policy, vm);
    return vm;
}

struct hook_vm *hook_vm_get(struct hook_vm **vm, const struct bundle *bundle)
{
    if (UNLIKELY(!*vm || (*vm)->generation != bundle->generation)) {
        hook_vm_free(*vm);
        *vm = vm_make(bundle);
        if ((*vm)->error.text[0])
            log_write(LOG_ERROR, "a request policy does not load", "error=\"%s\"", (*vm)->error.text);
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

bool hook_check(const struct bundle *bundle, struct error *err)
{
    struct hook_vm *vm = vm_make(bundle);
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

static void failed(struct hook_policy *p, uint64_t now_ms, const char *error)
{
    if (!p->failures || now_ms - p->window_ms > FAILURES_WINDOW_MS) {
        p->failures = 0;
        p->window_ms = now_ms;
    }
    if (may_log(&p->logged_ms, now_ms))
        log_write(LOG_ERROR, "request policy failed", "policy=%s error=%s", p->own, error);
    if (++p->failures < HOOK_FAILURES_MAX)
        return;
    p->off = true;
    log_write(LOG_ERROR, "request policy switched off until scripts are loaded anew",
              "policy=%s requests=%s", p->own, p->closed ? "refused" : "pass");
}

/* After a failed call: the message is on top of the stack. */
static void recover(struct hook_vm *vm, struct hook_policy *p, uint64_t now_ms)
{
    const char *error = lua_tostring(vm->L, -1);

    error_set(&vm->error, "%.*s", error ? (int)strcspn(error, "\n") : 0, error ? error : "");
    failed(p, now_ms, error ? error : "no message");
    lua_settop(vm->L, ON_STACK_RESPONSE);
    if (vm->limits.used > vm->limits.cap / 2)
        lua_gc(vm->L, LUA_GCCOLLECT, 0);
}

static enum hook_result run(struct hook_vm *vm, struct slice policy, struct hook_exchange *ex,
                            struct hook_response *res)
{
    struct hook_policy *p = find_policy(vm, policy);
    lua_State *L = vm->L;
    int function, status;

    if (!p)
        return unknown(vm, policy, ex->now_ms);
    if (p->off)
        return HOOK_OFF;
    if (p->broken) {
        failed(p, ex->now_ms, "it did not load");
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
        recover(vm, p, ex->now_ms);
    CHECK(lua_gettop(L) == ON_STACK_RESPONSE);
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
