/* quota.h - how many of something may be taken at a time, exact over all threads.
 *
 * One word. What `most` is may differ between calls (a setting that changes): it holds for what is taken from then on.
 *
 * Thread: any, concurrently. Ownership: the caller's memory; zeroed is empty. FFI-clean. */
#ifdef FFI_CDEF
#define _Atomic /* LuaJIT's FFI knows no atomics; the layout is the same */
#else
#pragma once
#include "base/check.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#endif

struct quota {
    _Atomic uint64_t used;
};

/* One more, of at most `most`? */
MUST_USE bool quota_take(struct quota *q, uint64_t most);

/* One that was taken is free again. */
void quota_give(struct quota *q);

/* How many are taken; a moment later it may be another number. */
uint64_t quota_used(const struct quota *q);
