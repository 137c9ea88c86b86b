/* failure_window.h - how many requests ended, and how many of them failed, within a sliding window.
 *
 * A ring of slots, each a tenth of the window wide and stamped with its start, so that the window's
 * length may change at any time. A sum counts nothing older than the window, and all that is
 * younger than nine tenths of it.
 *
 * Thread: one writer; sums from any. Time: callers pass now_ms (monotonic; the writer's never goes
 * back, a reader's may be a little behind or ahead of it). Zeroed memory is an empty window.
 * FFI-clean. */
#ifdef FFI_CDEF
#define _Atomic /* LuaJIT's FFI knows no atomics; the layout is the same */
#else
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#endif

enum { FAILURE_WINDOW_SLOTS = 10 };

struct failure_window_slot {
    _Atomic uint64_t start_ms; /* when its first request ended */
    _Atomic uint64_t counts;   /* failures (upper 32 bits) and requests: read as one */
};

struct failure_window {
    uint32_t newest; /* writer only: the slot that is being filled */
    struct failure_window_slot slots[FAILURE_WINDOW_SLOTS];
};

/* Writer: a request ended at now_ms. */
void failure_window_add(struct failure_window *w, bool failed, uint64_t window_ms, uint64_t now_ms);

/* Adds to *requests and *failures what w counted in the last window_ms. */
void failure_window_sum(const struct failure_window *w, uint64_t window_ms, uint64_t now_ms,
                        uint64_t *requests, uint64_t *failures);
