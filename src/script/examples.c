#include "script/examples.h"

#include "base/clock.h"
#include "base/need.h"
#include "control/control.h"
#include "script/api.h"
#include "script/bundle.h"
#include "script/examples_state.h"
#include "script/hook.h"
#include "script/hook_state.h"
#include "script/sandbox.h"
#include "script/script_bench.h"
#include "script/vm.h"
#include "script/vm_state.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD_MS = 2000, EXAMPLE_MS = 5000, REPEATS = 200, TRIES = 3 };

const char *const script_kind_names[SCRIPT_KINDS] = {
    [SCRIPT_POLICY] = "policy", [SCRIPT_HEALTH] = "health", [SCRIPT_PAGE] = "page",
    [SCRIPT_COMMANDS] = "commands", [SCRIPT_HOOK] = "hook",
};

struct examples *examples_of_state(lua_State *L)
{
    void *limits;

    lua_getallocf(L, &limits);
    return CONTAINER_OF(limits, struct examples, limits);
}

struct slice examples_script_name(const struct examples *e)
{
    const char *name = strrchr(e->of->path, '/') + 1;

    return slice_of(name, strlen(name) - strlen(".lua"));
}

struct slice examples_text(lua_State *L, const char *key)
{
    struct slice text = slice_of(NULL, 0);

    lua_getfield(L, 1, key);
    if (!lua_isnil(L, -1))
        text = api_slice(L, -1);
    lua_pop(L, 1);
    return text;
}

double examples_number(lua_State *L, const char *key, double otherwise)
{
    double number;

    lua_getfield(L, 1, key);
    number = luaL_optnumber(L, -1, otherwise);
    lua_pop(L, 1);
    return number;
}

bool examples_flag(lua_State *L, const char *key)
{
    bool flag;

    lua_getfield(L, 1, key);
    flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

unsigned examples_repeats(const struct examples *e)
{
    return !e->bench ? 0 : script_bench_is_memory(e->bench) ? 1 : REPEATS;
}

struct vm *examples_vm(lua_State *L)
{
    struct examples *e = examples_of_state(L);
    struct error err;

    if (!e->vm)
        e->vm = vm_new(e->of->control, e->of->bundle, &err);
    if (!e->vm) {
        luaL_error(L, "%s", err.text);
        return NULL;
    }
    e->vm->bench = e->bench;
    return e->vm;
}

static int host_now_ms(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_wall_ms());
    return 1;
}

/* The names are asked for when commands run, not while they load. */
static int host_policies(lua_State *L)
{
    lua_newtable(L);
    return 1;
}

static int open_body(lua_State *L)
{
    static lua_CFunction const given[SCRIPT_KINDS] = {
        [SCRIPT_POLICY] = examples_given_policy,
        [SCRIPT_HEALTH] = examples_given_health,
        [SCRIPT_PAGE] = examples_given_page,
    };
    struct examples *e = lua_touserdata(L, 1);
    const luaL_Reg functions[] = {
        {"now_ms", host_now_ms}, {"policies", host_policies}, {"say", examples_say}, {"hear", examples_hear},
        {"failure", examples_failure}, {NULL, NULL},
    };

    lua_newtable(L);
    api_host_open(L);
    api_text_open(L);
    api_json_open(L);
    hook_host_open(L);
    luaL_setfuncs(L, functions, 0);
    if (given[e->of->kind]) {
        lua_pushcfunction(L, given[e->of->kind]);
        lua_setfield(L, -2, "given");
    }
    sandbox_open(L);
    return 0;
}

/* Gives the function at the top the globals of specs, from the table below it. */
static void add_globals(lua_State *L)
{
    lua_getfenv(L, -1);
    lua_pushnil(L);
    while (lua_next(L, -4)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_pop(L, 1);
}

/* What loading has found. */
struct loaded {
    struct examples *e;
    unsigned count;
};

/* examples.load(kind, shown, path, text, is_spec, chunk) -> count */
static int load_body(lua_State *L)
{
    struct loaded *loaded = lua_touserdata(L, 1);
    const struct examples_of *of = loaded->e->of;

    sandbox_require(L, "examples");
    lua_getfield(L, -1, "load");
    lua_pushstring(L, script_kind_names[of->kind]);
    lua_pushstring(L, of->shown);
    lua_pushstring(L, of->path);
    lua_pushlstring(L, of->text.data, of->text.len);
    lua_pushboolean(L, of->is_spec);
    lua_getfield(L, 2, "globals");
    sandbox_compile(L, of->text, of->shown);
    if (of->is_spec)
        add_globals(L);
    lua_remove(L, -2);
    lua_call(L, 6, 1);
    loaded->count = (unsigned)lua_tointeger(L, -1);
    return 0;
}

struct examples *examples_new(const struct examples_of *of, unsigned *count, struct error *err)
{
    struct examples *e = need_zeroed(1, sizeof(*e));
    struct loaded loaded = {.e = e};

    ASSERT_CONTROL();
    e->of = of;
    e->L = vm_state_new(&e->limits, VM_MEMORY);
    CHECK(e->L);
    if (vm_call(e->L, NULL, open_body, e, LOAD_MS, err) && vm_call(e->L, NULL, load_body, &loaded, LOAD_MS, err)) {
        *count = loaded.count;
        return e;
    }
    examples_free(e);
    return NULL;
}

/* The script's VMs are another example's business no longer. */
static void end_example(struct examples *e)
{
    examples_end_policy(e);
    examples_end_talk(e);
    hook_vm_free(e->hooks);
    e->hooks = NULL;
    vm_free(e->vm);
    e->vm = NULL;
}

void examples_free(struct examples *e)
{
    if (!e)
        return;
    end_example(e);
    vm_state_close(e->L);
    free(e);
}

void examples_measure(struct examples *e, struct script_bench *bench)
{
    e->bench = bench;
    if (e->of->control->vm)
        e->of->control->vm->bench = bench;
}

/* Does the file with the examples define this command? */
struct owning {
    const char *command;
    bool owns;
};

static int owns_body(lua_State *L)
{
    struct owning *o = lua_touserdata(L, 1);

    sandbox_require(L, "examples");
    lua_getfield(L, -1, "owns");
    lua_pushstring(L, o->command);
    lua_call(L, 1, 1);
    o->owns = lua_toboolean(L, -1);
    return 0;
}

bool examples_owns(struct examples *e, const char *function)
{
    struct owning o = {.command = function};
    struct error err;

    return vm_call(e->L, NULL, owns_body, &o, LOAD_MS, &err) && o.owns;
}

/* One example on its way. */
struct running {
    unsigned nth;
    bool passed;
    struct example_result *out;
};

static void take_text(lua_State *L, int index, char *out, size_t size)
{
    const char *text = lua_tostring(L, index);

    snprintf(out, size, "%s", text ? text : "");
}

/* Calls a function of lua/examples about the example that the body is run for. */
static struct running *call_about(lua_State *L, const char *function, int results)
{
    struct running *r = lua_touserdata(L, 1);

    sandbox_require(L, "examples");
    lua_getfield(L, -1, function);
    lua_pushinteger(L, (lua_Integer)r->nth);
    lua_call(L, 1, results);
    return r;
}

/* examples.title(nth) -> sentence, line */
static int title_body(lua_State *L)
{
    struct running *r = call_about(L, "title", 2);

    take_text(L, -2, r->out->sentence, sizeof(r->out->sentence));
    r->out->line = (unsigned)lua_tointeger(L, -1);
    return 0;
}

/* examples.run(nth) -> nothing, or why it failed */
static int run_body(lua_State *L)
{
    struct running *r = call_about(L, "run", 1);

    r->passed = lua_isnil(L, -1);
    take_text(L, -1, r->out->message, sizeof(r->out->message));
    return 0;
}

static bool run_once(struct examples *e, unsigned nth, struct example_result *out, bool *late)
{
    struct running r = {.nth = nth, .out = out};
    struct error err;
    bool ok;

    *out = (struct example_result){0};
    ok = vm_call(e->L, NULL, title_body, &r, LOAD_MS, &err) && vm_call(e->L, NULL, run_body, &r, EXAMPLE_MS, &err);
    if (!ok)
        snprintf(out->message, sizeof(out->message), "%s", err.text);
    end_example(e);
    *late = ok && !r.passed && strstr(out->message, "took longer than its") != NULL;
    return ok && r.passed;
}

bool examples_run(struct examples *e, unsigned nth, struct example_result *out)
{
    bool late = true, passed = false;

    ASSERT_CONTROL();
    for (int i = 0; i < TRIES && late; i++)
        passed = run_once(e, nth, out, &late);
    return passed;
}
