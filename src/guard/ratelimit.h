/* ratelimit.h - how many requests a source address may make, exact over all workers.
 *
 * GCRA: a source's state is one number, its theoretical arrival time (TAT): when it will be at rest
 * again. From rest, `requests` pass at once, then one more each window / requests, in whole
 * nanoseconds, rounded down but at least one. A refused take costs the source nothing.
 *
 * Memory is bounded: sets of seven entries. A new source takes an empty entry of its set, else the
 * one with the smallest TAT: first who is at rest anyway, then who will be soonest.
 *
 * Thread: any, concurrently. A take holds its set's spin lock for some tens of nanoseconds. It is
 * the only lock on a request's way, there only for routes with a limit: workers have to agree on
 * the number, and to find, replace and charge an entry cannot be one atomic step. It is a leaf:
 * under it nothing is allocated or logged, no other module called, no other lock taken. Nothing
 * else here takes it. Ownership: ratelimit_new to ratelimit_free, which no other call may overlap.
 * Time: callers pass now_us (monotonic). Workers' clocks may be a little apart: a set never goes
 * back in time. Sums stay below 2^64 ns, as kernel clocks are below 2^63 ns and rules are held to
 * bounds. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

enum { RATELIMIT_SETS_LOG2 = 16 }; /* a good size: 458,752 sources, 8 MiB when all are used */

struct ratelimit;

/* `requests` in `window_ms`, both at least 1. Above 10^9 requests or 100 years (of 365.25 days),
 * the largest counts. */
struct ratelimit_rules {
    uint64_t requests;
    uint64_t window_ms;
};

/* What became of a take. Times are rounded up. */
struct ratelimit_result {
    bool allowed;
    uint64_t remaining;      /* requests that would pass right now after this one */
    uint64_t reset_ms;       /* until all of `requests` would pass again */
    uint64_t retry_after_ms; /* when refused: until one passes; 0 when allowed */
};

/* A table of 2^sets_log2 sets (at most 24), 128 bytes each. Memory is used as sources come. NULL:
 * out of memory. */
MUST_USE struct ratelimit *ratelimit_new(unsigned sets_log2);
void ratelimit_free(struct ratelimit *rl); /* NULL is fine */

/* The key of a source within a group (what is limited together: a route's identity). ip is in
 * network order, ip_len 4 or 16. An IPv6 address counts by its first 64 bits, one that carries an
 * IPv4 address (::ffff:0:0/96) as that. Never 0; differs between processes. */
uint64_t ratelimit_key(uint64_t group, const void *ip, size_t ip_len);

/* May one more request of key pass under these rules? Counts it if so. Rules may change between
 * takes and apply at once: what the source owes is held to what the new ones can make it owe. */
void ratelimit_take(struct ratelimit *rl, uint64_t key, const struct ratelimit_rules *rules,
                    uint64_t now_us, struct ratelimit_result *out);

/* How many sources are not at rest at now_us. Walks the whole table: for status. */
size_t ratelimit_sources(const struct ratelimit *rl, uint64_t now_us);

/* How many sources were forgotten before they were at rest, since the start: the table is too small
 * when this grows. */
uint64_t ratelimit_evicted(const struct ratelimit *rl);
