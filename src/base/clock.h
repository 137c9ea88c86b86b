/* clock.h - the only place that reads a clock.
 *
 * Thread: any. Everything else is handed the time. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stddef.h>
#include <stdint.h>
#endif

/* Monotonic time in microseconds, milliseconds; the start is arbitrary and the same for all
 * threads. */
uint64_t clock_ns(void); /* for what takes less than a microsecond */
uint64_t clock_us(void);
uint64_t clock_ms(void);

/* Time for which the calling thread had a processor, microseconds. Costs a system call. */
uint64_t clock_thread_us(void);

/* Wall clock, milliseconds since 1970 UTC. Only for texts, never for measuring. */
uint64_t clock_wall_ms(void);

enum { CLOCK_TEXT_SIZE = 32 };

/* RFC 3339, UTC, seconds precision ("2026-01-31T10:00:00Z"), NUL-terminated. Returns its length. */
size_t clock_format_s(char out[CLOCK_TEXT_SIZE], uint64_t wall_ms);

/* RFC 3339, UTC, with milliseconds. Returns its length. */
size_t clock_format_ms(char out[CLOCK_TEXT_SIZE], uint64_t wall_ms);
