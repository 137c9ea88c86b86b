/* Making the VM of request policies: for a worker, and for control to try a bundle. */
#include "base/list.h"
#include "base/need.h"
#include "base/log.h"
#include "script/api.h"
#include "script/bundle.h"
#include "script/hook_state.h"
#include "script/sandbox.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

struct hook_vm *hook_vm_of(lua_State *L)
{
    void *limits;

    lua_getallocf(L, &limits);
    return CONTAINER_OF(limits, struct hook_vm, limits);
}

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
    lua_pushcfunction(L, vm_traceback);
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
    struct hook_vm *vm = need_zeroed(1, sizeof(*vm));
    int refs[ON_STACK_RESPONSE];

    vm->generation = bundle->generation;
    vm->L = vm_state_new(&vm->limits, HOOK_MEMORY);
    vm->load_ms = load_ms;
    vm->trial = trial;
    vm->limits.cpu_time = true;
    vm->limits.latest_us = vm_clock_us(&vm->limits) + load_ms * 1000;
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
    vm->limits.cpu_time = false;
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
