/* vm.h - one generation of Lua scripts, and the only way to call into it.
 *
 * A VM is a LuaJIT state with the JIT off, a memory cap, sandboxed libraries, the embedded library
 * (lua/) and the scripts of one bundle, loaded once. It holds no state between calls that
 * matters: sessions, drafts and answers that wait are C's. So it can be replaced between two calls: a
 * command that waits is finished by the VM in service when its operation ends.
 *
 * Everything that is called has a time budget by its kind and all together a memory cap, from the
 * settings in force (scripts_budget, scripts_memory); see vm_call.h.
 *
 * Thread: control. Ownership: the caller owns a VM until vm_free. */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include <stdint.h>

struct bundle;
struct connection;
struct control;
struct vm;

/* Loads the library and all scripts, and lets each check itself. NULL: err says file, line and what to mend. */
struct vm *vm_new(struct control *c, const struct bundle *bundle, struct error *err);

/* A VM of the same bundle takes the place of old: what is known of its health policies goes over. */
void vm_take_over(struct vm *vm, const struct vm *old);

/* Not from within a call into it. NULL is fine. */
void vm_free(struct vm *vm);

/* Runs one registry line of conn. True: *answer is the answer line (valid until the next call;
 * absent data: no answer line). False: the answer comes later through vm_complete; the connection
 * waits. */
bool vm_run_line(struct vm *vm, struct connection *conn, struct slice line, struct slice *answer);

/* The operation that a waiting line started has ended; result is a JSON text for its command's
 * finish function (or "" when it has none). Sends the answer by registry_answer. */
struct pending;
void vm_complete(struct pending **pending, struct slice result);

/* Forgets all commands that wait, unanswered, and cancels their probes: the proxy ends. */
void vm_forget_pendings(struct control *c);
