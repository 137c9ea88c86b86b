/* frame_flood.h - how many frames of a kind a peer may send that cost work and carry nothing.
 *
 * Allowed are limit frames at once and limit in ten seconds from then on (a bucket that leaks, kept as the moment at which it
 * would be empty). What earns frames makes it leak sooner.
 *
 * Thread: the one that owns the connection. Time: callers pass now_us (monotonic). FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stdint.h>
#endif

struct frame_flood {
    uint64_t empty_us; /* when as much time has passed as the frames so far may take */
};

/* One more frame came. True: that is too many. */
MUST_USE bool frame_flood_add(struct frame_flood *f, uint32_t limit, uint64_t now_us);

/* Gives back count frames: the peer had a reason for them. */
void frame_flood_earn(struct frame_flood *f, uint32_t limit, uint32_t count);
