/* carrier.h - a connection to a backend that carries the requests of many: HTTP/2, the other side of client_session.h.
 *
 * A carrier is of use once the backend's SETTINGS have come: before that nobody knows that it speaks HTTP/2, and how many streams
 * it takes. It is filled to its places; the next is made when all are full (worker/h2_origin.h waits for that), one at
 * a time, at most limits.pool_size of them. Without a stream it closes after timeouts.pool. After GOAWAY, or
 * when there are no stream numbers left, it takes no more and ends with its last stream. When a stream of it times out and nothing
 * was heard for a second, it takes no more until a PING is answered; if none is in the time for connecting, it is lost.
 *
 * Thread: the worker's. Ownership: its pool's; it frees itself at the end of the loop turn, after its streams. */
#pragma once
#include "base/list.h"
#include "worker/h2_session.h"
#include "worker/conn.h"
#include "worker/worker_state.h"

struct pool;
struct request;

enum carrier_phase {
    CARRIER_CONNECTING,
    CARRIER_HANDSHAKE,
    CARRIER_GREETING, /* waits for the backend's SETTINGS */
    CARRIER_OPEN,
    CARRIER_DOUBTED,  /* takes no streams until it has answered */
    CARRIER_LEAVING,  /* takes no streams any more */
    CARRIER_LOST      /* its streams end */
};

/* Why there is none. */
struct carrier_failure {
    int error;             /* as of an origin */
    int tls_failure;       /* enum tls_failure, with -EPROTO */
    const char *tls_error; /* the same in words; static */
};

struct carrier {
    struct retired retired; /* first */
    struct conn conn;
    struct h2_session h2;   /* from CARRIER_GREETING on */
    struct list link;       /* in pool.carriers while it has places, else in pool.full */
    struct pool *pool;
    enum carrier_phase phase;
    bool has_places;        /* in which list it is */
    bool idle;              /* its deadline is for that */
    int error;              /* why it could not be made, -errno; else 0 */
    uint64_t timeout_ms;    /* for connecting */
    uint64_t heard_ms;      /* when something came last */
};

/* Begins a connection for rq's member. NULL: *error is -errno. */
struct carrier *carrier_open(struct pool *pool, const struct request *rq, int *error);

/* One that has a place, or NULL. careful: an idle one is looked at first, as the backend may have closed it a moment ago; costs
 * a system call. */
struct carrier *carrier_find(struct pool *pool, bool careful);

/* Opens a stream of it for conn, whose transport becomes the stream. */
void carrier_seat(struct carrier *k, struct h2_stream *stream, struct conn *conn);

/* A stream of it was refused: it takes fewer at a time than it says, for as long as it is not idle. */
void carrier_refused(struct carrier *k);

/* A stream of it timed out. */
void carrier_doubt(struct carrier *k);

/* Ends one that has no stream, to make room. False: there is none. */
bool carrier_close_one(struct pool *pool);

/* Ends those that have no stream. */
void carrier_close_idle(struct pool *pool);
