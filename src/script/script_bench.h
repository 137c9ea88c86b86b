/* script_bench.h - what calls of scripts cost: time, and memory that they take.
 *
 * A call is between start and stop; one within another counts as part of it. Time is measured as the call runs in
 * service, with Lua collecting garbage when it likes; memory in calls of their own, during which it does not, so
 * that all that was allocated is seen.
 *
 * Thread: the state's. */
#pragma once
#include "script/vm_call.h"

enum { SCRIPT_BENCH_ROWS = 64, SCRIPT_BENCH_NAME = 80 };

struct script_bench;

/* What one function's calls cost. */
struct script_bench_row {
    char name[SCRIPT_BENCH_NAME];
    uint64_t budget_ms;
    unsigned calls;
    uint64_t median_ns, p99_ns, max_ns;
    size_t bytes; /* the most that a call took; 0 without one that measured it */
};

struct script_bench *script_bench_new(void);
void script_bench_free(struct script_bench *b); /* NULL is fine */

/* From now on calls measure memory, or time (as at first). */
void script_bench_memory(struct script_bench *b, bool on);
bool script_bench_is_memory(const struct script_bench *b);

/* The call that starts next is a part of what it is named after: "finish". Static text. */
void script_bench_part(struct script_bench *b, const char *part);

void script_bench_start(struct script_bench *b, lua_State *L, struct vm_limits *limits);

/* name NULL: the part's own; without one the call is not kept. Calls beyond what can be kept are not counted. */
void script_bench_stop(struct script_bench *b, lua_State *L, struct vm_limits *limits, const char *name,
                       uint64_t budget_ms);

/* Calls measured for time so far, of all functions. */
unsigned script_bench_calls(const struct script_bench *b);

/* The nth function, in the order of their first calls; false: there are not so many. */
bool script_bench_row(struct script_bench *b, unsigned nth, struct script_bench_row *out);
