/* circuit_rules.h - what a route's configuration says about its circuit, and what follows from it.
 *
 * Thread: any; plain values. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stdint.h>
#endif

enum {
    CIRCUIT_PROBES_MAX = 0xffff,            /* half_open_requests counts as this when larger */
    CIRCUIT_TIMEOUT_MAX_MS = 0x7fffffff,    /* no open time is longer (24 days) */
    CIRCUIT_BACKOFF_MAX = 32,               /* open times grow to this many times timeout_ms, */
    CIRCUIT_BACKOFF_MAX_MS = 5 * 60 * 1000, /* but not past this (or timeout_ms, when larger) */
};

struct circuit_rules {
    uint32_t threshold;          /* failures in a row that open it; 0: traffic never opens it */
    uint32_t half_open_requests; /* probes at a time, and successes to close; 0 counts as 1 */
    uint64_t timeout_ms;         /* the first open time */
    uint32_t rate_percent;       /* share of failures that opens it; 0: off */
    uint32_t rate_min_requests;  /* fewer in the window say nothing */
    uint64_t rate_window_ms;
};

/* How many probes may be in flight, and have to succeed in a row: half_open_requests in its
 * limits. */
uint32_t circuit_rules_probes(const struct circuit_rules *rules);

/* How long to be open: timeout_ms, doubled for each of the reopenings in a row up to the limits
 * above, and then, unless there was none, up to a tenth more as random (any 32 bits) says. */
uint64_t circuit_rules_open_ms(const struct circuit_rules *rules, uint32_t reopenings,
                               uint32_t random);

/* Are failures among requests (sums over all workers' windows) enough to open the circuit? */
MUST_USE bool circuit_rules_rate_exceeded(const struct circuit_rules *rules, uint64_t requests,
                                          uint64_t failures);
