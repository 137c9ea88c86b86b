/* vm_call.h - a Lua state with limits, and the only function that runs Lua in it.
 *
 * The JIT is off. A count hook reads the clock; once the time is up it raises, and from then on at
 * every instruction, so that no pcall in a script can swallow it. How many instructions pass
 * between two looks at the clock depends on the time that is left and on the largest block of
 * memory in the state: what one instruction can take (comparing, joining, reading a number from a
 * text) grows with that. Memory is capped by the allocator, in all and for each block.
 *
 * A call that leaves much garbage is followed by a full collection. The time for that is set aside
 * while the call allocates, so that both end within its budget. What earlier calls left is little.
 *
 * The hook interrupts no C function. Those that scripts see are bounded: by the size of a block,
 * by vm_spend where they loop, by vm_enter where they call Lua.
 *
 * Thread: the one that made the state. Ownership: struct vm_limits is the caller's and outlives the
 * state. */
#pragma once
#include "base/check.h"
#include "base/error.h"
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VM_MEMORY = 64 * 1024 * 1024,
    VM_TEXT_MAX = 1024 * 1024,              /* bytes of a text that scripts can make */
    VM_BLOCK_MAX = VM_TEXT_MAX + 64 * 1024, /* bytes of a block: a text, half of a table */
    VM_DEPTH_MAX = 100,                     /* C functions that call Lua, within each other */
    VM_CLASSES = 12                         /* sizes of large blocks: 16 KiB, 32 KiB, ... */
};

/* What a state may use; belongs to its allocator. */
struct vm_limits {
    lua_State *L;
    /* memory, in bytes; cap and block_max may be changed between two calls */
    size_t used, cap, block_max;
    size_t kept;                /* what was left by the last full collection */
    unsigned large[VM_CLASSES]; /* blocks there are, by class of size */
    uint64_t slowest_us;        /* what an instruction may take at worst, with blocks of these sizes */
    bool starved;               /* the call asked for more than it could get */
    bool too_large;             /* for a block beyond block_max */
    /* the call that runs */
    uint64_t budget_ms;
    uint64_t deadline_us; /* by the clock in use */
    bool cpu_time;        /* it is the thread's processor time, for what is loaded or rendered for all: a
                           * busy machine must not refuse that; else monotonic time */
    uint64_t latest_us;   /* no call goes on after it, whatever its budget; 0: none */
    size_t used_before;   /* bytes */
    unsigned stride;      /* instructions between two looks at the clock */
    unsigned spent;       /* steps of C functions since the last look */
    unsigned depth;       /* of vm_enter */
    bool running;         /* inside vm_call */
    bool looked;          /* it has looked at the clock */
    bool expired;         /* its time is up */
};

/* An empty state: no library is open. cap in bytes. NULL: out of memory. */
lua_State *vm_state_new(struct vm_limits *limits, size_t cap);
void vm_state_close(lua_State *L); /* NULL is fine */

/* Calls body(L) protected, with a stack of its own that holds arg as light userdata, within
 * budget_ms. body hands out results through arg. May be called by a C function within another call,
 * whose budget goes on meanwhile and ends both. False: err is the message, and when what is not
 * NULL one line with the traceback is logged, naming what was done. */
MUST_USE bool vm_call(lua_State *L, const char *what, lua_CFunction body, void *arg,
                      uint64_t budget_ms, struct error *err);

/* The clock that budgets are held against now. */
uint64_t vm_clock_us(const struct vm_limits *limits);

/* What vm_call does about time, for a state that many short calls are made in (script/hook.c): the hook stays armed
 * between them. */
void vm_clock_start(struct vm_limits *limits, uint64_t budget_ms);
void vm_clock_stop(struct vm_limits *limits);

/* The message handler of calls: message, cut when it is long, and traceback. */
int vm_traceback(lua_State *L);

/* After vm_clock_stop and outside of calls: frees all that nobody needs, if there is much or memory ran out. */
void vm_clean(struct vm_limits *limits);

/* Raises a Lua error with a message (lua_pushfstring's formats) and the place that called. */
void vm_raise(lua_State *L, const char *fmt, ...) __attribute__((noreturn));

/* A C function has done steps of some nanoseconds each; raises when the call's time is up. */
void vm_spend(lua_State *L, unsigned steps);

/* Is the call's time up? For C code that may not raise where it asks. */
bool vm_expired(lua_State *L);

/* Around a call of Lua by a C function that scripts can call: raises when there are too many within
 * each other for the C stack. An error in between needs no vm_leave. */
void vm_enter(lua_State *L);
void vm_leave(lua_State *L);

/* pcall as scripts see it: the function and its arguments are the topmost count + 1 values, handler
 * is the index of a message handler or 0. Returns as lua_pcall(L, count, LUA_MULTRET, handler), but
 * raises again when the call's time is up. */
int vm_pcall(lua_State *L, int count, int handler);
