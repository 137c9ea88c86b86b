#include "script/vm_call.h"

#include "base/clock.h"
#include "base/log.h"

#include <lauxlib.h>
#include <luajit.h>
#include <stdlib.h>
#include <string.h>

enum {
    STRIDE_MAX = 1000,             /* instructions between two looks at the clock */
    SPEND_STRIDE = 4096,           /* steps between two of a C function */
    LARGE = 16 * 1024,             /* bytes of the first class of large blocks */
    BYTES_PER_US = 256,            /* that the slowest instruction takes in: "1111..." + 0 */
    COLLECT_BYTES_PER_US = 512,    /* that a full collection frees, if they are small */
    GARBAGE_MAX = 2 * 1024 * 1024, /* bytes that calls may leave to Lua's own collecting */
    GRACE_US = 1000,               /* for a call that others took the time of */
    MESSAGE_MAX = 1000,            /* bytes of an error's message that are kept */
    TRACE_SIZE = 2 * MESSAGE_MAX
};

/* What a protected call is about. */
struct call {
    lua_CFunction body;
    void *arg;
    int status;             /* of lua_pcall */
    char trace[TRACE_SIZE]; /* message and traceback of a failure */
};

static void on_count(lua_State *L, lua_Debug *ar);

static struct vm_limits *limits_of(lua_State *L)
{
    void *arg;

    lua_getallocf(L, &arg);
    return arg;
}

static unsigned class_of(size_t size)
{
    unsigned class = 0;

    for (size /= LARGE * 2; size && class < VM_CLASSES - 1; size /= 2)
        class ++;
    return class;
}

static void find_slowest(struct vm_limits *limits)
{
    unsigned class = VM_CLASSES - 1;

    while (class > 0 && !limits->large[class])
        class --;
    limits->slowest_us = ((uint64_t)LARGE << class) / BYTES_PER_US;
}

/* What is left at now_us of the call's time, without what cleaning up after it will take; 0: nothing. */
static uint64_t time_left_at_us(const struct vm_limits *limits, uint64_t now_us)
{
    uint64_t end_us = now_us;

    if (limits->used > limits->used_before)
        end_us += (limits->used - limits->used_before) / COLLECT_BYTES_PER_US;
    return limits->expired || end_us >= limits->deadline_us ? 0 : limits->deadline_us - end_us;
}

uint64_t vm_clock_us(const struct vm_limits *limits)
{
    return UNLIKELY(limits->cpu_time) ? clock_thread_us() : clock_us();
}

/* Looks at the clock. When the first look of a call finds that its time is up, others had it: the
 * call cannot have done that much. It gets a little more, lest a busy machine has short calls fail. */
static uint64_t time_left_us(struct vm_limits *limits)
{
    uint64_t now_us = vm_clock_us(limits), left_us = time_left_at_us(limits, now_us);

    if (UNLIKELY(!left_us) && !limits->looked && !limits->expired) {
        limits->deadline_us = now_us + GRACE_US;
        left_us = time_left_at_us(limits, now_us);
    }
    limits->looked = true;
    return left_us;
}

/* Sees to it that the clock is looked at before the time is up, whatever the instructions until
 * then do. */
static void set_stride(struct vm_limits *limits, uint64_t left_us)
{
    uint64_t stride = left_us / limits->slowest_us;

    stride = stride < 1 ? 1 : stride > STRIDE_MAX ? STRIDE_MAX : stride;
    if (stride == limits->stride)
        return;
    limits->stride = (unsigned)stride;
    lua_sethook(limits->L, on_count, LUA_MASKCOUNT, (int)stride);
}

static void count_block(struct vm_limits *limits, size_t old_size, size_t new_size)
{
    uint64_t before_us = limits->slowest_us;

    if (old_size < LARGE && new_size < LARGE)
        return;
    if (old_size >= LARGE)
        limits->large[class_of(old_size)]--;
    if (new_size >= LARGE)
        limits->large[class_of(new_size)]++;
    find_slowest(limits);
    if (limits->running && limits->slowest_us > before_us)
        set_stride(limits, time_left_us(limits));
}

static void *limited_alloc(void *arg, void *old, size_t old_size, size_t new_size)
{
    struct vm_limits *limits = arg;
    void *block;

    if (new_size == 0) {
        free(old);
        count_block(limits, old_size, 0);
        limits->used -= old_size;
        return NULL;
    }
    if (new_size > old_size) {
        limits->too_large |= new_size > limits->block_max;
        if (new_size > limits->block_max || limits->used + (new_size - old_size) > limits->cap) {
            limits->starved = true;
            return NULL;
        }
    }
    block = realloc(old, new_size);
    if (block) {
        count_block(limits, old_size, new_size);
        limits->used = limits->used + new_size - old_size;
    }
    return block;
}

/* level: of the function that is named, see luaL_where. */
static void expire(lua_State *L, int level)
{
    struct vm_limits *limits = limits_of(L);

    limits->expired = true;
    set_stride(limits, 0);
    luaL_where(L, level);
    lua_pushfstring(L, "took longer than its %d ms", (int)limits->budget_ms);
    lua_concat(L, 2);
    lua_error(L);
}

static void on_count(lua_State *L, lua_Debug *ar)
{
    struct vm_limits *limits = limits_of(L);
    uint64_t left_us = time_left_us(limits);

    (void)ar;
    if (!left_us)
        expire(L, 0);
    set_stride(limits, left_us);
}

void vm_spend(lua_State *L, unsigned steps)
{
    struct vm_limits *limits = limits_of(L);

    limits->spent += steps;
    if (limits->spent < SPEND_STRIDE)
        return;
    limits->spent = 0;
    if (limits->running && !time_left_us(limits))
        expire(L, 1);
}

bool vm_expired(lua_State *L)
{
    return limits_of(L)->running && !time_left_us(limits_of(L));
}

void vm_enter(lua_State *L)
{
    if (limits_of(L)->depth >= VM_DEPTH_MAX)
        vm_raise(L, "calls through C functions are nested deeper than %d", VM_DEPTH_MAX);
    limits_of(L)->depth++;
}

void vm_leave(lua_State *L)
{
    limits_of(L)->depth--;
}

int vm_pcall(lua_State *L, int count, int handler)
{
    struct vm_limits *limits = limits_of(L);
    unsigned depth = limits->depth;
    int status;

    vm_enter(L);
    status = lua_pcall(L, count, LUA_MULTRET, handler);
    limits->depth = depth;
    if (status && limits->expired)
        lua_error(L);
    return status;
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

    *limits = (struct vm_limits){.cap = cap, .block_max = VM_BLOCK_MAX};
    find_slowest(limits);
    L = lua_newstate(limited_alloc, limits);
    if (!L)
        return NULL;
    limits->L = L;
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

int vm_traceback(lua_State *L)
{
    char start[MESSAGE_MAX + 4];
    size_t len;
    const char *message = lua_tolstring(L, 1, &len);

    if (!message)
        message = lua_pushfstring(L, "an error that is a %s", luaL_typename(L, 1));
    else if (len > MESSAGE_MAX && snprintf(start, sizeof(start), "%.*s...", MESSAGE_MAX, message))
        message = start;
    luaL_traceback(L, L, message, 1);
    return 1;
}

static int trampoline(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);
    const char *trace;

    lua_settop(L, 0);
    lua_pushcfunction(L, vm_traceback);
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

void vm_clock_start(struct vm_limits *limits, uint64_t budget_ms)
{
    uint64_t now_us = vm_clock_us(limits), deadline_us = now_us + budget_ms * 1000;

    if (limits->latest_us && limits->latest_us < deadline_us)
        deadline_us = limits->latest_us;
    if (!limits->running || deadline_us < limits->deadline_us)
        limits->deadline_us = deadline_us;
    limits->budget_ms = budget_ms;
    limits->used_before = limits->used;
    limits->running = true;
    limits->expired = limits->looked = false;
    limits->starved = limits->too_large = false;
    set_stride(limits, time_left_at_us(limits, now_us));
}

void vm_clock_stop(struct vm_limits *limits)
{
    limits->running = limits->expired = false;
    limits->depth = 0;
}

/* Back to the call around the one that ended, or to none. */
static void stop_clock(struct vm_limits *limits, const struct vm_limits *outer)
{
    limits->running = outer->running;
    limits->depth = outer->depth;
    if (!outer->running) {
        lua_sethook(limits->L, NULL, 0, 0);
        limits->stride = 0;
        return;
    }
    limits->expired = outer->expired;
    limits->budget_ms = outer->budget_ms;
    limits->deadline_us = outer->deadline_us;
    limits->used_before = outer->used_before;
    limits->too_large = outer->too_large;
    limits->starved |= outer->starved;
    limits->looked = true;
    limits->stride = 0;
    set_stride(limits, time_left_us(limits));
}

/* Why a call failed that could not even say so. */
static void explain(struct call *call, const struct vm_limits *limits)
{
    if (limits->expired)
        snprintf(call->trace, sizeof(call->trace), "took longer than its %llu ms",
                 (unsigned long long)limits->budget_ms);
    else if (limits->too_large)
        snprintf(call->trace, sizeof(call->trace), "a text or table longer than %zu bytes",
                 limits->block_max);
}

static int collect_body(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

/* Lua may have to allocate for it, which must not fail. */
void vm_clean(struct vm_limits *limits)
{
    lua_State *L = limits->L;
    size_t cap = limits->cap, block_max = limits->block_max;

    if (!limits->starved && limits->used <= limits->kept + GARBAGE_MAX)
        return;
    limits->cap = limits->block_max = SIZE_MAX;
    if (lua_cpcall(L, collect_body, NULL))
        lua_pop(L, 1);
    limits->cap = cap;
    limits->block_max = block_max;
    limits->kept = limits->used;
    limits->starved = false;
}

bool vm_call(lua_State *L, const char *what, lua_CFunction body, void *arg, uint64_t budget_ms,
             struct error *err)
{
    struct call call = {.body = body, .arg = arg, .status = LUA_ERRMEM};
    struct vm_limits *limits = limits_of(L), outer = *limits;
    int top = lua_gettop(L);

    snprintf(call.trace, sizeof(call.trace), "not enough memory");
    vm_clock_start(limits, budget_ms);
    if (lua_cpcall(L, trampoline, &call))
        lua_settop(L, top); /* what cpcall left is not even a message: memory ran out */
    if (call.status == LUA_ERRMEM || call.status == LUA_ERRERR)
        explain(&call, limits);
    stop_clock(limits, &outer);
    CHECK(lua_gettop(L) == top);
    vm_clean(limits);
    if (call.status == 0)
        return true;
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
