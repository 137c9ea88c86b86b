/* worker.h - one worker: a thread with a loop, listeners, clients, upstream pools and its own counters.
 *
 * Control makes workers, gives each its first snapshot before it starts, later ones by mailbox, and stops
 * them. Everything else about a worker is private to src/worker (worker_state.h).
 *
 * Thread: all functions here are control's. Ownership: a worker is freed by worker_free after it stopped. */
#pragma once
#include "base/check.h"
#include "base/mailbox.h"
#include "config/snapshot.h"
#include "guard/address_count.h"
#include "guard/quota.h"
#include "guard/verdict.h"
#include "script/hook.h"
#include "worker/close_reason.h"

struct control;
struct ratelimit;
struct worker;

/* A worker changed a circuit: control is told, and frees the notice. The state lives until the worker gives back the
 * lease that it came with, by a later message. */
struct circuit_notice {
    struct message message;
    struct control *control;
    struct route_state *state;
    struct circuit_change change;
};

/* A worker uses a member although it is down; as above. */
struct panic_notice {
    struct message message;
    struct control *control;
    struct route_state *state;
};

/* A request policy was switched off; control frees the notice. */
struct policy_notice {
    struct message message;
    struct control *control;
    struct hook_end end;
};

/* What all workers count together (worker/room.h). A cache line for each that they often write. */
struct room_counts {
    struct quota clients __attribute__((aligned(64)));     /* their connections */
    struct quota descriptors __attribute__((aligned(64))); /* these, and connections to backends */
    struct address_count *addresses; /* the clients' */
};

/* What all workers have in common; constant while they run. */
struct worker_shared {
    struct mailbox *mailbox; /* control's: adopted, returned and stopped messages and notices go there */
    struct control *control; /* for notices; workers do not look into it */
    void (*on_circuit)(struct message *notice); /* run by control for every circuit_notice */
    void (*on_panic)(struct message *notice);   /* and for every panic_notice */
    void (*on_policy)(struct message *notice);  /* and for every policy_notice */
    struct ratelimit *ratelimit;
    struct room_counts *counts;
    uint64_t descriptors_most; /* for connections of workers */
    uint64_t clients_most;     /* where limits.connections does not say */
    struct worker **peers;     /* all workers, once peer_count was set, with release */
    _Atomic unsigned peer_count;
    uint16_t https_port; /* where clients are redirected to; 0: nowhere */
};

/* A worker that will serve first's snapshot. stopped is posted to control when the worker's last connection ended after worker_stop. The worker takes
 * over the listening descriptors, of which the first plain ones speak HTTP in clear, the others TLS. NULL when out of
 * memory. */
struct worker *worker_new(unsigned id, struct lease *first, const struct worker_shared *shared,
                          struct message *stopped, const int *listeners, unsigned plain, unsigned listener_count);

/* Starts the thread. 0 or -errno. */
MUST_USE int worker_start(struct worker *w);

/* Hands over a lease (lease->adopt's run is set here). The worker answers with lease->adopted as soon as
 * every request it starts uses the lease, and with lease->returned when it is done with it (both posted
 * to control; their run functions are the caller's). */
void worker_adopt(struct worker *w, struct lease *lease);

/* Asks the worker to stop: it takes what is in its accept queue, closes listeners, tells clients that their
 * connection ends, finishes requests in flight until deadline_ms (monotonic), and posts stopped. */
void worker_stop(struct worker *w, uint64_t deadline_ms);

/* Waits for the thread's end. Workers talk to each other: all have ended before the first is freed. */
void worker_join(struct worker *w);

/* Waits for the thread, gives leases back (returned messages are posted) and frees. */
void worker_free(struct worker *w);

/* What workers count, since the start unless it says now. */
struct worker_counts {
    uint64_t clients;        /* open client connections now */
    uint64_t secure_clients; /* of these, those that speak TLS and whose handshake is over */
    uint64_t sessions_open;  /* of these, those that speak HTTP/2 */
    uint64_t accepted;
    uint64_t accept_pauses;  /* times that there was no room for another */
    uint64_t requests;       /* ended */
    uint64_t handshakes, resumed, handshakes_failed; /* of TLS with clients: done, of these resumed; failed */
    uint64_t sessions;       /* HTTP/2 */
    uint64_t streams;        /* requests of these */
    uint64_t memory;         /* bytes of buffers in use now */
    uint64_t bodies_waited;  /* times that a large body had to wait for the next turn of a loop */
    uint64_t closed[CLOSE_REASON_COUNT]; /* connections of clients and backends, and streams, by their end */
    uint64_t verdicts[VERDICT_COUNT];    /* requests that the proxy answered itself or that broke off */
};

/* Adds this worker's to sum; relaxed reads. */
void worker_count(const struct worker *w, struct worker_counts *sum);
