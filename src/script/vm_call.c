#include "script/vm_call.h"

#include "base/clock.h"
#include "base/log.h"

#include <lauxlib.h>
#include <luajit.h>
#include <stdlib.h>
#include <string.h>

enum { HOOK_INSTRUCTIONS = 1000, TRACE_SIZE = 1500 };

/* What a protected call is about. */
struct call {
    lua_CFunction body;
    void *arg;
    int status;             /* of lua_pcall */
    char trace[TRACE_SIZE]; /* message and traceback of a failure */
};

static void *limited_alloc(void *arg, void *old, size_t old_size, size_t new_size)
{
    struct vm_limits *limits = arg;
    void *block;

    if (new_size == 0) {
        free(old);
        limits->used -= old_size;
        return NULL;
    }
    if (new_size > old_size && limits->used + (new_size - old_size) > limits->cap)
        return NULL;
    block = realloc(old, new_size);
    if (block)
        limits->used += new_size - old_size;
    return block;
}

static struct vm_limits *limits_of(lua_State *L)
{
    void *arg;

    lua_getallocf(L, &arg);
    return arg;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    struct vm_limits *limits = limits_of(L);

    (void)ar;
    if (clock_ms() < limits->deadline_ms)
        return;
    limits->expired = true;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    luaL_where(L, 0);
    lua_pushfstring(L, "took longer than its %d ms", (int)limits->budget_ms);
    lua_concat(L, 2);
    lua_error(L);
}

static int on_panic(lua_State *L)
{
    (void)L;
    CHECK(!"Lua ran outside vm_call");
    return 0;
}

lua_State *vm_state_new(struct vm_limits *limits, size_t cap)
{
    lua_State *L;

    *limits = (struct vm_limits){.cap = cap};
    L = lua_newstate(limited_alloc, limits);
    if (!L)
        return NULL;
    lua_atpanic(L, on_panic);
    CHECK(luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF));
    return L;
}

void vm_state_close(lua_State *L)
{
    if (!L)
        return;
    lua_sethook(L, NULL, 0, 0);
    lua_close(L);
}

static int on_error(lua_State *L)
{
    const char *message = lua_tostring(L, 1);

    if (!message)
        message = lua_pushfstring(L, "an error that is a %s", luaL_typename(L, 1));
    luaL_traceback(L, L, message, 1);
    return 1;
}

static int trampoline(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);
    const char *trace;

    lua_settop(L, 0);
    lua_pushcfunction(L, on_error);
    lua_pushcfunction(L, call->body);
    lua_pushlightuserdata(L, call->arg);
    call->status = lua_pcall(L, 1, 0, 1);
    if (call->status) {
        trace = lua_tostring(L, -1);
        snprintf(call->trace, sizeof(call->trace), "%s", trace ? trace : "no message");
    }
    return 0;
}

/* The message in front of the traceback. */
static void take_message(const char *trace, struct error *err)
{
    const char *end = strstr(trace, "\nstack traceback:");
    size_t len = end ? (size_t)(end - trace) : strlen(trace);

    error_set(err, "%.*s", (int)(len < sizeof(err->text) ? len : sizeof(err->text) - 1), trace);
}

static void start_clock(lua_State *L, struct vm_limits *limits, uint64_t budget_ms)
{
    limits->running = true;
    limits->expired = false;
    limits->budget_ms = budget_ms;
    limits->deadline_ms = clock_ms() + budget_ms;
    if (limits->latest_ms && limits->latest_ms < limits->deadline_ms)
        limits->deadline_ms = limits->latest_ms;
    lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
}

/* Back to the call around the one that ended, or to none. */
static void stop_clock(lua_State *L, struct vm_limits *limits, const struct vm_limits *outer)
{
    limits->running = outer->running;
    if (!outer->running) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    limits->expired = outer->expired;
    limits->budget_ms = outer->budget_ms;
    limits->deadline_ms = outer->deadline_ms;
    lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
}

bool vm_call(lua_State *L, const char *what, lua_CFunction body, void *arg, uint64_t budget_ms,
             struct error *err)
{
    struct call call = {.body = body, .arg = arg, .status = LUA_ERRMEM};
    struct vm_limits *limits = limits_of(L), outer = *limits;
    int top = lua_gettop(L);

    snprintf(call.trace, sizeof(call.trace), "not enough memory");
    start_clock(L, limits, budget_ms);
    if (lua_cpcall(L, trampoline, &call))
        lua_settop(L, top);
    stop_clock(L, limits, &outer);
    CHECK(lua_gettop(L) == top);
    if (call.status == 0)
        return true;
    if (limits->used > limits->cap / 2) /* a full collection takes longer than most calls */
        lua_gc(L, LUA_GCCOLLECT, 0);
    take_message(call.trace, err);
    if (what)
        log_write(LOG_ERROR, "script failed", "during=%s error=%s", what, call.trace);
    return false;
}

void vm_raise(lua_State *L, const char *fmt, ...)
{
    va_list ap;

    luaL_where(L, 1);
    va_start(ap, fmt);
    lua_pushvfstring(L, fmt, ap);
    va_end(ap);
    lua_concat(L, 2);
    lua_error(L);
    abort();
}
