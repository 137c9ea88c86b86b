/* work_share.h - how much of the last second went into one kind of work.
 *
 * A ring of ten slots of 100 ms. What is told counts from then on for 900 ms at least, and for less than 1000.
 *
 * Thread: one. Time: callers pass now_ms (monotonic). Zeroed memory has seen no work. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stdint.h>
#endif

enum { WORK_SHARE_SLOTS = 10, WORK_SHARE_SLOT_MS = 100 };

struct work_share {
    uint64_t turn[WORK_SHARE_SLOTS]; /* now_ms / WORK_SHARE_SLOT_MS when the slot was begun */
    uint64_t us[WORK_SHARE_SLOTS];   /* of work in it */
};

/* us microseconds of work ended at now_ms. */
void work_share_add(struct work_share *s, uint64_t us, uint64_t now_ms);

/* Work in the last second, in percent of it. */
unsigned work_share_percent(const struct work_share *s, uint64_t now_ms);
