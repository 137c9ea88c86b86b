#include "script/vm_load.h"

#include "base/need.h"
#include "control/control.h"
#include "script/api.h"
#include "script/bundle.h"
#include "script/sandbox.h"
#include "script/vm_health.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* A kind of scripts: who in lua/ takes what one returns. */
struct script_kind {
    const char *folder;
    const char *module, *function;
    bool named; /* the function is told the script's name before its path */
};

static const struct script_kind kinds[] = {
    {"commands", "registry", "define", false},
    {"hooks", "registry", "hook", true},
    {"maintenance", "page", "define", false},
    {"health", "health", "define", true},
};

/* The modules of lua/ that scripts fill. */
static const char *const modules[] = {"registry", "health", "page"};

/* Scripts on their way into the VM. */
struct loading {
    struct vm *vm;
    struct error *err;
    const struct script_kind *kind;
    const struct bundle_file *file;
};

static int open_body(lua_State *L)
{
    struct vm *vm = lua_touserdata(L, 1);

    api_open(L, vm);
    sandbox_open(L);
    sandbox_require(L, "registry");
    return 0;
}

/* Pushes a script's name: that of its file, without ".lua". */
static void push_name(lua_State *L, const char *path)
{
    const char *name = strrchr(path, '/') + 1;

    lua_pushlstring(L, name, strlen(name) - strlen(".lua"));
}

/* Runs a script and hands what it returns to who takes it. */
static int script_body(lua_State *L)
{
    const struct loading *l = lua_touserdata(L, 1);

    sandbox_require(L, l->kind->module);
    lua_getfield(L, -1, l->kind->function);
    if (l->kind->named)
        push_name(L, l->file->path);
    lua_pushstring(L, l->file->path);
    sandbox_compile(L, slice_of(l->file->text, l->file->len), l->file->path);
    lua_call(L, 0, 1);
    lua_call(L, l->kind->named ? 3 : 2, 0);
    return 0;
}

static bool load_script(const struct bundle_file *file, void *arg)
{
    struct loading *l = arg;

    l->file = file;
    if (vm_run(l->vm, NULL, script_body, l, l->vm->control->settings->script_load_ms, l->err))
        return true;
    bundle_name_error(file->path, l->err);
    return false;
}

/* Calls module.function() of every module that scripts fill. */
static void call_modules(lua_State *L, const char *function)
{
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        sandbox_require(L, modules[i]);
        lua_getfield(L, -1, function);
        lua_call(L, 0, 0);
        lua_pop(L, 1);
    }
}

/* Ends loading, then lets every script check itself. */
static int check_body(lua_State *L)
{
    call_modules(L, "seal");
    call_modules(L, "check");
    return 0;
}

/* The names of the health policies, for C; results of health.names(). */
static int list_policies_body(lua_State *L)
{
    struct vm *vm = lua_touserdata(L, 1);
    int count;

    sandbox_require(L, "health");
    lua_getfield(L, -1, "names");
    lua_call(L, 0, 1);
    count = (int)lua_objlen(L, -1);
    for (int i = 1; i <= count; i++) {
        struct vm_policy *policy;

        lua_rawgeti(L, -1, i);
        policy = need_zeroed(1, sizeof(*policy));
        snprintf(policy->name, sizeof(policy->name), "%s", lua_tostring(L, -1));
        list_push_back(&vm->policies, &policy->link);
        lua_pop(L, 1);
    }
    return 0;
}

static bool check_policies(struct vm *vm, struct error *err)
{
    if (!vm_run(vm, NULL, list_policies_body, vm, vm->control->settings->script_load_ms, err))
        return false;
    if (!vm_has_policy(vm, "default"))
        return error_set(err, "health/default.lua: is missing; it holds for every route without "
                              "the option health_policy");
    return true;
}

static bool load_all(struct vm *vm, const struct bundle *bundle, struct error *err)
{
    struct loading l = {.vm = vm, .err = err};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        l.kind = &kinds[i];
        if (!bundle_each(bundle, kinds[i].folder, load_script, &l))
            return false;
    }
    return true;
}

bool vm_load(struct vm *vm, const struct bundle *bundle, struct error *err)
{
    uint64_t budget_ms = vm->control->settings->script_load_ms;
    bool ok;

    vm->limits.cpu_time = true;
    vm->limits.latest_us = vm_clock_us(&vm->limits) + budget_ms * 1000;
    ok = vm_run(vm, NULL, open_body, vm, budget_ms, err) && load_all(vm, bundle, err) &&
         check_policies(vm, err) && vm_run(vm, NULL, check_body, NULL, budget_ms, err);
    vm->limits.latest_us = 0;
    vm->limits.cpu_time = false;
    return ok;
}
