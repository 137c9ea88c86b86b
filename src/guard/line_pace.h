/* line_pace.h - how fast the lines of one client may be run.
 *
 * `burst` lines at once, and `rate` a second from then on: a bucket that leaks, kept as the moment at which it would be
 * empty. What is above is not refused, it waits. A line may cost more than one.
 *
 * Thread: the one that owns the connection. Time: callers pass now_us (monotonic). Zeroed memory has run nothing.
 * FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stdint.h>
#endif

/* Both at least 1. */
struct line_pace_rules {
    uint64_t rate;  /* lines a second */
    uint64_t burst; /* lines at once */
};

struct line_pace {
    uint64_t empty_us; /* when as much time has passed as the lines so far may take */
};

/* How long until the next line may run, microseconds; 0: now. */
uint64_t line_pace_wait_us(const struct line_pace *p, const struct line_pace_rules *rules, uint64_t now_us);

/* A line was run that counts as cost lines. One that costs more than the burst counts as the burst. */
void line_pace_charge(struct line_pace *p, const struct line_pace_rules *rules, uint64_t cost, uint64_t now_us);
