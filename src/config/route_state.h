/* route_state.h - what outlives configurations: one route's state, shared by all workers.
 *
 * A route keeps its state for its whole life, through every snapshot that carries it. The shared
 * part is atomics on its own cache line; everything that is counted is counted per worker,
 * unshared, in a struct route_local, and summed when it is read.
 *
 * What control decides about a route - session, health, drain, slow start - is read by workers at
 * every request, so the greater part of it is one word, the posture; one that is zero but for the
 * bit of good health means "as good as any".
 *
 * Thread: made, referenced and freed by control; posture, drain and slow start are set by control
 * and read by workers (a worker that closes a circuit starts the slow start, too); a route_local is written by its worker alone and read by control. Counters are written with a
 * relaxed load and store (one writer, no lock prefix) and read relaxed: a sum may miss a request in
 * progress, never one that ended before the reader was told of it. Ownership: references are
 * counted by control only. A snapshot holds one for each state it carries. FFI-clean. */
#ifdef FFI_CDEF
#define _Atomic /* LuaJIT's FFI knows no atomics; the layout is the same */
#else
#pragma once
#include "base/check.h"
#include "config/histogram.h"
#include "guard/circuit.h"
#include "guard/failure_window.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#endif

/* What became of the session that a route belongs to. */
enum route_session {
    ROUTE_CONNECTED,    /* it is connected, or the route is static */
    ROUTE_DISCONNECTED, /* its grace period runs: a last resort */
    ROUTE_SUPERSEDED    /* another session has its names: a last resort */
};

enum route_health {
    ROUTE_HEALTH_UNKNOWN,  /* not checked, or not yet and the check is the default one */
    ROUTE_HEALTH_HEALTHY,
    ROUTE_HEALTH_AWAITED,  /* gets nothing before its explicit check has passed once */
    ROUTE_HEALTH_DEGRADED, /* gets a share */
    ROUTE_HEALTH_DOWN
};

/* The posture: session in bits 0 and 1, draining in bit 2, health in bits 3 to 5, its share (of
 * EFFECTIVE_ALL) from bit 8 on. */
enum {
    ROUTE_POSTURE_SESSION = 3,
    ROUTE_POSTURE_DRAINING = 1 << 2,
    ROUTE_POSTURE_HEALTH_SHIFT = 3,
    ROUTE_POSTURE_HEALTH = 7 << ROUTE_POSTURE_HEALTH_SHIFT,
    ROUTE_POSTURE_SHARE_SHIFT = 8,
    ROUTE_POSTURE_GOOD = ROUTE_HEALTH_HEALTHY << ROUTE_POSTURE_HEALTH_SHIFT
};

enum { STATUS_MIN = 100, STATUS_MAX = 599, STATUS_SLOTS = STATUS_MAX - STATUS_MIN + 1 };

struct circuit_watch;
struct health;
struct panic_watch;
struct placed;
struct session;
struct tunnel_set;

/* One worker's part of a route: what every request touches in one cache line, what some do in a second, so that no
 * two workers write to neighbours; the rest is elsewhere. Of ten thousand routes each line is one that no cache holds, and each page one
 * that the processor has to look up. */
struct route_local {
    _Atomic uint64_t requests;   /* ended requests that were meant for this route */
    _Atomic uint64_t bytes_sent; /* response body bytes sent to clients */
    _Atomic uint64_t successes;  /* attempts that its circuit counts as such */
    _Atomic uint64_t oks;        /* answers with status 200, which statuses leaves out */
    _Atomic uint64_t latency_us; /* sum of what rest->latency has */
    uint64_t
        suspect_until_ms; /* worker only: skip while others can serve, after a failed connect */
    _Atomic uint32_t in_flight; /* requests in progress */
    uint32_t draws;             /* worker only: the last draw against the route's shares */
    struct route_rest *_Atomic rest; /* made at the worker's first request; until then all else is 0, too */
    /* in some requests */
    _Atomic uint64_t bytes_received;       /* request body bytes received from clients */
    _Atomic uint64_t errors;               /* of the requests, answered 5xx or broken off by backend or proxy */
    _Atomic uint64_t connects;             /* connections made to the backend */
    _Atomic uint64_t connect_errors;       /* connections refused or timed out */
    _Atomic uint64_t retries;              /* requests that were sent to another member or again */
    _Atomic uint64_t turned_by_drain;      /* requests that went elsewhere or were refused */
    _Atomic uint64_t turned_by_ratelimit;  /* refused */
    _Atomic uint64_t turned_by_circuit;    /* refused: circuit open or no place for a probe left */
} __attribute__((aligned(2 * 64)));

/* What a worker counts of a route besides. */
struct route_rest {
    struct histogram latency; /* microseconds from request head to the end of the response */
    _Atomic uint64_t turned_by_maintenance; /* pages shown */
    _Atomic uint64_t turned_by_health;      /* refused: down, or not checked yet */
    _Atomic uint64_t turned_by_requests;    /* refused: as many are in progress as may be */
    _Atomic uint64_t turned_by_tunnels;     /* refused: as many are open as may be */
    _Atomic uint64_t shadowed_by_ratelimit; /* would have been refused */
    _Atomic uint64_t panicked;              /* sent there although it was down */
    _Atomic uint64_t policy_failures;       /* calls of its request policy that failed */
    _Atomic uint64_t policy_skipped;        /* requests that went without it, because it is switched off */
    _Atomic uint64_t compressed;            /* responses that were compressed */
    _Atomic uint64_t compressed_in;         /* bytes of theirs before */
    _Atomic uint64_t compressed_out;        /* and after; these are in bytes_sent, too */
    _Atomic uint64_t compress_skipped;      /* responses that were not, for want of time or encoders */
    _Atomic uint64_t probes;                /* attempts made while its circuit was half-open */
    _Atomic uint64_t tunnels;        /* opened, since the start */
    _Atomic uint32_t tunnels_open;
    struct tunnel_set *tunnel_set; /* worker only: its open tunnels, worker/tunnel_set.h; NULL: none */
    struct failure_window window; /* for the circuit's failure rate */
    _Atomic uint32_t statuses[STATUS_SLOTS]; /* answers by status code but 200, index status - STATUS_MIN */
};

struct route_state {
    /* control only */
    unsigned refs;
    struct session *session; /* whose it is; NULL once that is gone */
    struct health *health;   /* its health check, control/health.h; NULL: none */
    struct panic_watch *panic;   /* it panics, control/panic.c; NULL: not */
    struct placed *placed;       /* its route in the configuration, config/atlas.c; NULL: none */
    bool touched;                /* to be looked at by the next publication, control/compose.c */
    struct route_state *next_touched;
    struct circuit_watch *watch; /* the timer of an open circuit, control/circuits.c; NULL: none */
    bool in_maintenance;     /* as decided; workers read it from their snapshot */
    /* constant */
    char service[64];                    /* service name, cut; constant; for logs */
    char instance[64];                   /* instance name, cut; constant; for logs */
    /* written by any; some of it at every request of routes with such a limit: a cache line of its own */
    _Atomic uint32_t request_places __attribute__((aligned(64))); /* requests in progress that were admitted under a limit, over all workers */
    _Atomic uint32_t tunnel_places; /* tunnels that are open or being opened, over all workers */
    _Atomic uint32_t panicking; /* 1: control was told that it is used although it is down */
    _Atomic uint64_t successes_before; /* sum of all locals' successes when the last failure was */
    /* read at every request, in the cache line beside the first of local's; written when something happens: the posture by
     * control, the circuit by any, at failures and while it is not closed */
    _Atomic uint32_t posture __attribute__((aligned(2 * 64)));
    unsigned worker_count; /* constant */
    struct circuit circuit;
    /* constant, or read where the posture, or the route, says that they count */
    _Atomic uint64_t drain_start_ms; /* monotonic; 0: no drain */
    _Atomic uint64_t drain_length_ms;
    _Atomic uint64_t slow_since_ms; /* monotonic; 0: never; also by a worker that closes the circuit */
    uint64_t identity;              /* stable hash of session and route id, for ip_hash */
    char route_id[16];              /* "r12" */
    struct route_local local[];     /* one a worker */
};

/* A new state with one reference. Aborts when out of memory. */
struct route_state *route_state_new(const char *session_id, const char *route_id,
                                    const char *service, const char *instance,
                                    unsigned worker_count);
struct route_state *route_state_ref(struct route_state *s);
void route_state_unref(struct route_state *s); /* NULL is fine */

/* Control: each of these is in force for every request that starts after it returned. */
void route_state_set_session(struct route_state *s, enum route_session session);

/* share: of EFFECTIVE_ALL, for ROUTE_HEALTH_DEGRADED; else not looked at. */
void route_state_set_health(struct route_state *s, enum route_health health, uint32_t share);

/* start_ms 0 ends the drain; a length of 0 turns everything away from start_ms on. */
void route_state_set_drain(struct route_state *s, uint64_t start_ms, uint64_t length_ms);

/* Control, or a worker: the share grows from now on, where the route has the option slow_start. */
void route_state_start_slowly(struct route_state *s, uint64_t now_ms);

enum route_session route_state_session(const struct route_state *s);
enum route_health route_state_health(const struct route_state *s);

/* A drain as it is at one moment. */
struct route_drain {
    uint64_t start_ms, length_ms; /* start 0: there is none */
};
struct route_drain route_state_drain(const struct route_state *s);

/* Worker: this worker's part; its rest is made at the first call. Aborts when out of memory. */
struct route_local *route_state_local(struct route_state *s, unsigned worker);

/* Any thread: a place for one more tunnel, of at most max (0: any). False: none is free. */
MUST_USE bool route_state_take_tunnel(struct route_state *s, uint32_t max);
void route_state_give_tunnel(struct route_state *s);

/* The same for one more request in progress. */
MUST_USE bool route_state_take_request(struct route_state *s, uint32_t max);
void route_state_give_request(struct route_state *s);

/* Any thread: how many hold such a place; a moment later it may be another number. */
uint32_t route_state_requests(const struct route_state *s);

/* Adds n to a counter that only this thread writes. */
#define COUNTER_ADD(counter, n)                                                                    \
    atomic_store_explicit(&(counter),                                                              \
                          atomic_load_explicit(&(counter), memory_order_relaxed) + (n),            \
                          memory_order_relaxed)

/* Any thread: how many attempts its circuit counted as successes, over all workers. */
uint64_t route_state_successes(const struct route_state *s);

/* Any thread: adds up the failure windows of all workers. */
void route_state_window(const struct route_state *s, uint64_t window_ms, uint64_t now_ms,
                        uint64_t *requests, uint64_t *failures);

/* The sum over all workers. statuses and latency included. */
struct route_totals {
    uint64_t requests, errors, bytes_sent, bytes_received, connects, connect_errors, retries;
    uint64_t turned_by_drain, turned_by_maintenance, turned_by_circuit, turned_by_health;
    uint64_t turned_by_ratelimit, shadowed_by_ratelimit, panicked, successes, probes;
    uint64_t policy_failures, policy_skipped, turned_by_tunnels, turned_by_requests, tunnels;
    uint64_t tunnels_open;
    uint64_t compressed, compressed_in, compressed_out, compress_skipped;
    uint64_t in_flight;
    uint64_t statuses[STATUS_SLOTS];
    struct histogram_sum latency;
};

/* Control: fills *out from all workers' parts. */
void route_state_sum(const struct route_state *s, struct route_totals *out);

/* Control: one counter of these alone, for whoever looks often or at many routes. */
uint64_t route_state_in_flight(const struct route_state *s);
uint64_t route_state_turned_by_drain(const struct route_state *s);
