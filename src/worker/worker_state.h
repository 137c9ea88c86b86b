/* worker_state.h - what a worker consists of; shared by the files of src/worker only.
 *
 * Thread: everything here is touched by the worker's own thread, but for the atomics that say otherwise and the
 * mailbox. Ownership: the worker owns its connections, requests, pools and buffers. */
#pragma once
#include "base/block_pool.h"
#include "base/crash.h"
#include "base/deadlines.h"
#include "base/lane.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "base/random.h"
#include "base/spares.h"
#include "config/snapshot.h"
#include "guard/retry_budget.h"
#include "guard/verdict.h"
#include "http/head.h"
#include "http/parse.h"
#include "worker/close_reason.h"
#include "worker/fifo.h"
#include "worker/tunnel_set.h"
#include "http/field_list.h"
#include "worker/worker.h"
#include <ev.h>
#include <pthread.h>

enum { WORKER_LARGE_BLOCK = 64 * 1024, WORKER_WIDE_BLOCK = 256 * 1024, WORKER_KEEP_BYTES = 8 * 1024 * 1024,
       WORKER_REQUESTS_KEPT = 512, WORKER_EXCHANGES_KEPT = 512 };

struct compressor;
struct hook_exchange;
struct hook_vm;

/* Freed when the loop turn ends: whatever was closed inside its own callback. Embedded first. */
struct retired {
    struct retired *next;
};

struct worker {
    unsigned id;
    pthread_t thread;
    bool started;
    struct ev_loop *loop;
    struct crash_trail trail; /* what a crash tells */
    struct mailbox mailbox;
    const struct worker_shared *shared;
    struct message *stopped;  /* posted to control when all is done */

    /* time, read once a loop turn */
    ev_check check;
    ev_prepare prepare;
    ev_prepare wait; /* the last thing before the loop waits */
    uint64_t now_us, now_ms;
    struct deadlines deadlines; /* of all connections */
    ev_timer deadline_timer;    /* for the earliest of them, worker/deadline_timer.h */
    uint64_t deadline_look_ms;  /* when it fires, DEADLINE_NONE: it does not run */

    struct fifo fifo; /* what this turn has still to hear */

    /* configuration */
    struct http_limits limits; /* for heads, of the settings in force */
    struct lease *lease; /* the newest adopted */
    uint32_t *turns;     /* round-robin positions by group index, for as many as there ever were */
    unsigned turn_count;

    /* connections */
    struct listener *listeners;
    unsigned listener_count;
    struct list idle_clients; /* between requests, longest idle first */
    struct list head_clients; /* a head is arriving, longest first */
    struct list busy_clients;
    struct list arrivals;     /* of these, the ones that are not watched yet, longest first: worker/arrival.h */
    ev_timer arrival_timer;   /* runs while there are some */
    struct tunnel_sets tunnels; /* of all busy clients */
    unsigned handshakes;        /* clients in one */
    struct list due_handshakes; /* struct handshake, worker/handshake.h */
    bool served;                /* this turn something was done for an established connection */
    int64_t handshake_credit_us; /* time that handshakes may take while others have work to do */
    ev_idle handshake_idle;     /* keeps the loop from waiting while some are due */
    struct list sessions;     /* clients that speak HTTP/2 */
    struct list idle_sessions; /* those without a request, longest idle first */
    struct lane bulk;         /* of struct conn, worker/bulk.h */
    ev_idle bulk_idle;
    bool accepting_paused;    /* a listener waits for room */
    uint64_t asked_ms;        /* when other workers were asked for room last */
    uint64_t told_address_ms, told_pause_ms; /* when it was logged last that there is no room; 0: never */
    struct map *pools;        /* address bytes to struct pool */
    struct retired *retired;
    bool stopping;
    ev_timer stop_timer;

    /* memory */
    struct block_pool blocks;
    struct spares spare_requests;  /* of struct request */
    struct spares spare_exchanges; /* of struct hook_exchange */
    ev_timer trim_timer;           /* worker/trim.h */
    uint64_t trim_every_ms;        /* what it is set to */

    struct compressor *compressor; /* NULL: nothing was compressed yet */
    struct hook_vm *hooks; /* the request policies' VM; NULL: none was needed yet */

    /* scratch, valid within one step */
    struct http_head response;
    struct field_list fields;
    char line[8192]; /* one access log line */

    unsigned latency_bucket; /* of the request that ended last: worker/stats.h */
    struct random random;
    struct retry_budget retry_budget;

    /* counters; written here, read by control */
    _Atomic uint64_t handshakes_done, handshakes_resumed, handshakes_failed;
    _Atomic uint64_t clients, accepted, accept_pauses, bodies_waited, requests, sessions_started, streams;
    _Atomic uint64_t secure_clients, sessions_open; /* of the clients: with TLS; that speak HTTP/2 */
    _Atomic uint64_t memory;                        /* bytes of the blocks in use as the last turn ended */
    _Atomic uint64_t closed[CLOSE_REASON_COUNT];
    _Atomic uint64_t verdicts[VERDICT_COUNT]; /* requests by what ended them, stats.c; PASS is not counted */
};

/* Frees memory at the end of the loop turn. */
void worker_retire(struct worker *w, struct retired *memory);

/* Counts and traces the end of a connection. */
void worker_count_close(struct worker *w, enum close_reason reason);

/* A client went away: while stopping, the last one ends the loop. */
void worker_client_closed(struct worker *w);

/* A hold on the newest lease for one request; given back once. */
struct lease *worker_lease_take(struct worker *w);
void worker_lease_release(struct worker *w, struct lease *lease);

static inline const struct settings *worker_settings(const struct worker *w)
{
    return w->lease->snapshot->settings;
}

/* The limits for heads, from the settings in force. */
static inline struct http_limits worker_limits(const struct worker *w)
{
    return w->limits;
}
