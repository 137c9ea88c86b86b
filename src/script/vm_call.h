/* vm_call.h - a Lua state with limits, and the only function that runs Lua in it.
 *
 * The JIT is off, memory is capped by the allocator. A count hook reads the clock every so many
 * instructions; once the time is up it raises, and from then on at every instruction, so that no
 * pcall in a script can swallow it. C functions are not interrupted: those that could run long are
 * bounded by themselves.
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

/* What a state may use; belongs to its allocator. */
struct vm_limits {
    size_t used, cap;     /* bytes */
    uint64_t budget_ms;   /* of the call that runs */
    uint64_t deadline_ms; /* monotonic */
    uint64_t latest_ms;   /* no call goes on after it, whatever its budget; 0: none */
    bool running;         /* inside vm_call */
    bool expired;         /* its time is up */
};

enum { VM_MEMORY = 64 * 1024 * 1024 };

/* An empty state: no library is open. cap in bytes. NULL: out of memory. */
lua_State *vm_state_new(struct vm_limits *limits, size_t cap);
void vm_state_close(lua_State *L); /* NULL is fine */

/* Calls body(L) protected, with a stack of its own that holds arg as light userdata, within
 * budget_ms. body hands out results through arg. May be called by a C function within another call,
 * whose budget goes on meanwhile. False: err is the message, and when what is not
 * NULL one line with the traceback is logged, naming what was done. */
MUST_USE bool vm_call(lua_State *L, const char *what, lua_CFunction body, void *arg,
                      uint64_t budget_ms, struct error *err);

/* Raises a Lua error with a message (lua_pushfstring's formats) and the place that called. */
void vm_raise(lua_State *L, const char *fmt, ...) __attribute__((noreturn));
