/* route_state.h - what outlives configurations: one route's state, shared by all workers.
 *
 * A route keeps its state for its whole life, through every snapshot that carries it. The shared
 * part is atomics on its own cache line; everything that is counted is counted per worker,
 * unshared, in a struct route_local, and summed when it is read.
 *
 * Thread: made, referenced and freed by control; standing is set by control and read by workers; a
 * route_local is written by its worker alone and read by control. Counters are written with a
 * relaxed load and store (one writer, no lock prefix) and read relaxed: a sum may miss a request in
 * progress, never one that ended before the reader was told of it. Ownership: references are
 * counted by control only. A snapshot holds one for each state it carries. FFI-clean. */
#ifdef FFI_CDEF
#define _Atomic /* LuaJIT's FFI knows no atomics; the layout is the same */
#else
#pragma once
#include "base/check.h"
#include "config/histogram.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#endif

/* May the route be used as any other, or only when no other member of its group can be? */
enum route_standing {
    ROUTE_FULL,       /* its session is connected (or it is static) */
    ROUTE_LAST_RESORT /* its session is disconnected or superseded */
};

enum { STATUS_MIN = 100, STATUS_MAX = 599, STATUS_SLOTS = STATUS_MAX - STATUS_MIN + 1 };

/* One worker's part of a route. */
struct route_local {
    _Atomic uint64_t requests;       /* ended requests that were meant for this route */
    _Atomic uint64_t errors;         /* of these, answered 5xx or broken off by backend or proxy */
    _Atomic uint64_t bytes_sent;     /* response body bytes sent to clients */
    _Atomic uint64_t bytes_received; /* request body bytes received from clients */
    _Atomic uint64_t connects;       /* connections made to the backend */
    _Atomic uint64_t connect_errors; /* connections refused or timed out */
    _Atomic uint64_t retries;        /* requests that were sent to another member or again */
    _Atomic uint32_t in_flight;      /* requests in progress */
    uint64_t
        suspect_until_ms; /* worker only: skip while others can serve, after a failed connect */
    _Atomic uint32_t statuses[STATUS_SLOTS]; /* answers by status code, index status - STATUS_MIN */
    struct histogram latency; /* microseconds from request head to the end of the response */
};

struct route_state {
    _Atomic uint32_t standing; /* enum route_standing; written by control */
    unsigned refs;             /* control only */
    unsigned worker_count;
    uint64_t identity;                   /* stable hash of session and route id, for ip_hash */
    char route_id[16];                   /* "r12"; constant */
    char service[64];                    /* service name, cut; constant; for logs */
    char instance[64];                   /* instance name, cut; constant; for logs */
    struct route_local *_Atomic local[]; /* one a worker, made by it at its first request */
};

/* A new state with one reference. Aborts when out of memory. */
struct route_state *route_state_new(const char *session_id, const char *route_id,
                                    const char *service, const char *instance,
                                    unsigned worker_count);
struct route_state *route_state_ref(struct route_state *s);
void route_state_unref(struct route_state *s); /* NULL is fine */

/* Control: release order; a worker that sees the new value acts on it from its next request on. */
void route_state_set_standing(struct route_state *s, enum route_standing standing);

#ifndef FFI_CDEF
static inline enum route_standing route_state_standing(const struct route_state *s)
{
    return (enum route_standing)atomic_load_explicit(&s->standing, memory_order_acquire);
}
#endif

/* Worker: this worker's part, made at the first call. NULL: out of memory. */
struct route_local *route_state_local(struct route_state *s, unsigned worker);

/* Adds n to a counter that only this thread writes. */
#define COUNTER_ADD(counter, n)                                                                    \
    atomic_store_explicit(&(counter),                                                              \
                          atomic_load_explicit(&(counter), memory_order_relaxed) + (n),            \
                          memory_order_relaxed)

/* The sum over all workers. statuses and latency included. */
struct route_totals {
    uint64_t requests, errors, bytes_sent, bytes_received, connects, connect_errors, retries;
    uint64_t in_flight;
    uint64_t statuses[STATUS_SLOTS];
    struct histogram_sum latency;
};

/* Control: fills *out from all workers' parts. */
void route_state_sum(const struct route_state *s, struct route_totals *out);
