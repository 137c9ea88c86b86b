/* vm_script.c - runs the cases of a script in a sandbox; built by vm_script.lua.
 *
 * Usage: vm_script FILE BUDGET_MS. The file is compiled as scripts are and called with Lua's own
 * table string; it returns a list of { name, function }. Each function is called within the budget; a
 * text in its place is compiled as a script and called within the budget, as when scripts are loaded.
 * Prints a line for each: name, CPU microseconds of the call, those of a call afterwards, "ok" or
 * "failed", result or message; separated by tabs. */
#include "base/clock.h"
#include "script/sandbox.h"
#include "script/vm_call.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One case on its way. */
struct running {
    const char *path;
    int index;
    char name[64];
    char result[1200];
};

static uint64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct slice read_file(const char *path)
{
    static char text[256 * 1024];
    FILE *file = fopen(path, "re");
    size_t len;

    CHECK(file);
    len = fread(text, 1, sizeof(text), file);
    fclose(file);
    return slice_of(text, len);
}

/* Lua's own string library, in the registry before the sandbox gets at it. */
static int open_body(lua_State *L)
{
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 0);
    lua_pushcfunction(L, luaopen_string);
    lua_pushstring(L, "string");
    lua_call(L, 1, 0);
    lua_newtable(L);
    lua_getglobal(L, "string");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -6);
    }
    lua_pop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "native");
    lua_newtable(L);
    sandbox_open(L);
    return 0;
}

static int load_body(lua_State *L)
{
    const struct running *r = lua_touserdata(L, 1);

    sandbox_compile(L, read_file(r->path), "script");
    lua_getfield(L, LUA_REGISTRYINDEX, "native");
    lua_getfenv(L, -2);
    lua_call(L, 2, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "cases");
    return 0;
}

static int name_body(lua_State *L)
{
    struct running *r = lua_touserdata(L, 1);

    lua_getfield(L, LUA_REGISTRYINDEX, "cases");
    lua_rawgeti(L, -1, r->index);
    r->name[0] = '\0';
    if (lua_isnil(L, -1))
        return 0;
    lua_rawgeti(L, -1, 1);
    snprintf(r->name, sizeof(r->name), "%s", lua_tostring(L, -1));
    return 0;
}

static int case_body(lua_State *L)
{
    struct running *r = lua_touserdata(L, 1);

    lua_getfield(L, LUA_REGISTRYINDEX, "cases");
    lua_rawgeti(L, -1, r->index);
    lua_rawgeti(L, -1, 2);
    if (lua_isstring(L, -1)) {
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);

        sandbox_compile(L, slice_of(text, len), "loaded");
    }
    lua_call(L, 0, 1);
    snprintf(r->result, sizeof(r->result), "%s",
             lua_isstring(L, -1) ? lua_tostring(L, -1) : luaL_typename(L, -1));
    return 0;
}

static int after_body(lua_State *L)
{
    sandbox_compile(L, SLICE("local t = {} for i = 1, 1000 do t[i] = 'x' .. i end"), "after");
    lua_call(L, 0, 0);
    return 0;
}

static void one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ')
            *text = ' ';
    }
}

static void run_case(lua_State *L, struct running *r, uint64_t budget_ms)
{
    uint64_t start = cpu_us(), end;
    struct error err = {""}, after;
    bool ok = vm_call(L, NULL, case_body, r, budget_ms, &err);

    end = cpu_us();
    one_line(r->result);
    one_line(err.text);
    if (!vm_call(L, NULL, after_body, NULL, 2000, &after)) {
        fprintf(stderr, "after %s: %s\n", r->name, after.text);
        exit(1);
    }
    printf("%s\t%d\t%d\t%s\t%s\n", r->name, (int)(end - start), (int)(cpu_us() - end),
           ok ? "ok" : "failed", ok ? r->result : err.text);
}

int main(int argc, char **argv)
{
    struct running r = {.path = argv[1]};
    struct vm_limits limits;
    lua_State *L = vm_state_new(&limits, VM_MEMORY);
    struct error err;

    CHECK(argc == 3 && L);
    if (!vm_call(L, NULL, open_body, NULL, 2000, &err) ||
        !vm_call(L, NULL, load_body, &r, 2000, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (r.index = 1; vm_call(L, NULL, name_body, &r, 2000, &err) && r.name[0]; r.index++)
        run_case(L, &r, (uint64_t)atoi(argv[2]));
    CHECK(vm_call(L, NULL, after_body, NULL, 2000, &err));
    lua_gc(L, LUA_GCCOLLECT, 0);
    printf("memory\t0\t0\tok\t%zu\n", limits.used);
    vm_state_close(L);
    CHECK(limits.used == 0);
    return 0;
}
