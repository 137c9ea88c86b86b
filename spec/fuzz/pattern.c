/* Patterns of scripts: what matches is what Lua's own find says, and no match goes on for long after its time is up. */
#include "base/check.h"
#include "script/pattern.h"
#include "script/vm_call.h"
#include "spec/fuzz/fuzz.h"

#include <lauxlib.h>
#include <lualib.h>
#include <time.h>

enum {
    BUDGET_MS = 10,
    SLACK_MS = 500, /* of processor time, with sanitizers on a busy machine */
    TEXT_MAX = 400
};

/* A search, and what came of it. */
struct search {
    struct slice pattern, text;
    bool found;
    struct pattern_match match;
    unsigned captures;
};

static uint64_t cpu_ms(void)
{
    struct timespec t;

    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int search_body(lua_State *L)
{
    struct search *s = lua_touserdata(L, 1);
    struct pattern p;

    pattern_read(L, &p, s->pattern, true);
    s->captures = p.captures;
    s->found = pattern_find(L, &p, s->text, 0, &s->match);
    return 0;
}

static void check_capture(lua_State *L, int index, struct slice capture, struct slice text)
{
    size_t len;
    const char *theirs;

    if (capture.len == PATTERN_AT) {
        CHECK(lua_isnumber(L, index) && lua_tointeger(L, index) == capture.data - text.data + 1);
        return;
    }
    CHECK(lua_type(L, index) == LUA_TSTRING && fuzz_within(capture, text));
    theirs = lua_tolstring(L, index, &len);
    CHECK(slice_eq(capture, slice_of(theirs, len)));
}

/* Lua's own find, on a state without limits: ours has ended in time, so it will. */
static void compare(lua_State *L, const struct search *s)
{
    lua_settop(L, 0);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "find");
    lua_pushlstring(L, s->text.data, s->text.len);
    lua_pushlstring(L, s->pattern.data, s->pattern.len);
    /* Theirs refuses what ours takes only where it runs out of its own, smaller limits. */
    if (lua_pcall(L, 2, LUA_MULTRET, 0) != 0)
        CHECK(strstr(lua_tostring(L, -1), "too complex"));
    else if (!s->found)
        CHECK(lua_isnil(L, 2));
    else {
        CHECK(lua_tointeger(L, 2) == (lua_Integer)s->match.start + 1);
        CHECK(lua_tointeger(L, 3) == (lua_Integer)s->match.end);
        CHECK((unsigned)lua_gettop(L) == 3 + s->captures);
        for (unsigned i = 0; i < s->captures; i++)
            check_capture(L, 4 + (int)i, s->match.captures[i], s->text);
    }
}

void fuzz_pattern(struct slice input)
{
    static struct vm_limits limits;
    static lua_State *ours, *theirs;
    static struct search s;
    struct slice rest = input;
    struct error err;
    uint64_t start;
    bool ok;

    if (!ours) {
        ours = vm_state_new(&limits, 8 * 1024 * 1024);
        theirs = luaL_newstate();
        CHECK(ours && theirs);
        limits.cpu_time = true;
        luaL_openlibs(theirs);
    }
    s = (struct search){0};
    if (!slice_split(&rest, '\n', &s.pattern) || !rest.data || rest.len > TEXT_MAX)
        return;
    /* Lua 5.1 ends a pattern at NUL, ours do not. */
    if (memchr(s.pattern.data, 0, s.pattern.len))
        return;
    s.text = rest;
    start = cpu_ms();
    ok = vm_call(ours, NULL, search_body, &s, BUDGET_MS, &err);
    CHECK(cpu_ms() - start < BUDGET_MS + SLACK_MS);
    if (ok)
        compare(theirs, &s);
}
