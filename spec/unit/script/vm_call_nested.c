/* vm_call_nested.c - calls into Lua within calls into Lua; built by vm_call_spec.lua.
 *
 * Prints what came of each case as key=value lines: ok or the error of the outer call, then of the
 * inner one; of a call alone its own. */
#include "script/vm_call.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { OUTER_MS = 200, INNER_MS = 50 };

/* What the two calls run; results of the inner one; of a call alone its own. */
struct nest {
    const char *before, *inside, *after;
    bool inner_ok;
    struct error inner;
};

static void run(lua_State *L, const char *code)
{
    if (luaL_loadstring(L, code))
        lua_error(L);
    lua_call(L, 0, 0);
}

static int inner_body(lua_State *L)
{
    run(L, ((struct nest *)lua_touserdata(L, 1))->inside);
    return 0;
}

static int outer_body(lua_State *L)
{
    struct nest *nest = lua_touserdata(L, 1);

    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 0);
    run(L, nest->before);
    nest->inner_ok = vm_call(L, NULL, inner_body, nest, INNER_MS, &nest->inner);
    run(L, nest->after);
    return 0;
}

static void try(lua_State *L, const char *name, const char *before, const char *inside,
                const char *after)
{
    struct nest nest = {before, inside, after, false, {""}};
    struct error outer;
    bool ok = vm_call(L, NULL, outer_body, &nest, OUTER_MS, &outer);

    printf("%s=%s; %s\n", name, ok ? "ok" : outer.text, nest.inner_ok ? "ok" : nest.inner.text);
}

/* Works a little, loses the processor for longer than the budget, works a little more. */
static int sleep_body(lua_State *L)
{
    struct timespec longer = {.tv_nsec = (INNER_MS + 20) * 1000000L};

    (void)lua_touserdata(L, 1);
    run(L, "for i = 1, 1e4 do end");
    nanosleep(&longer, NULL);
    run(L, "for i = 1, 1e4 do end");
    return 0;
}

static int endless_body(lua_State *L)
{
    run(L, lua_touserdata(L, 1));
    return 0;
}

static void try_alone(lua_State *L, const char *name, lua_CFunction body, const char *code)
{
    struct error err;
    bool ok = vm_call(L, NULL, body, (void *)code, INNER_MS, &err);

    printf("%s=%s\n", name, ok ? "ok" : err.text);
}

int main(void)
{
    static const char endless[] = "while true do pcall(function() while true do end end) end";
    struct vm_limits limits;
    lua_State *L = vm_state_new(&limits, VM_MEMORY);

    CHECK(L);
    try(L, "both", "", "", "");
    try(L, "inner_fails", "", "error('in', 0)", "");
    try(L, "outer_fails", "", "", "error('out', 0)");
    try(L, "inner_endless", "", endless, "for i = 1, 1e5 do end");
    try(L, "outer_endless", "", "", endless);
    try(L, "both_endless", "", endless, endless);
    try_alone(L, "slept", sleep_body, NULL);
    limits.cpu_time = true;
    try_alone(L, "slept_by_cpu_time", sleep_body, NULL);
    try_alone(L, "endless_by_cpu_time", endless_body, endless);
    limits.cpu_time = false;
    try(L, "afterwards", "", "", "");
    CHECK(!limits.running);
    vm_state_close(L);
    return 0;
}
