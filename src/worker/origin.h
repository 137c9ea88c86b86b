/* origin.h - one connection to a backend: being made, carrying a request, or idle in its pool. Or one stream of a connection
 * that carries many: then it ends with its request (worker/h2_origin.h).
 *
 * Thread: the worker's. Ownership: a busy origin belongs to its request, an idle one to its pool; a closed one
 * frees itself at the end of the loop turn. */
#pragma once
#include "worker/close_reason.h"
#include "worker/conn.h"
#include "worker/worker_state.h"

struct origin_codec;
struct pool;
struct request;

enum origin_phase {
    ORIGIN_CONNECTING, /* carries a request that waits for the connection */
    ORIGIN_HANDSHAKE,  /* the same, connected: TLS is being agreed on */
    ORIGIN_BUSY,       /* carries a request */
    ORIGIN_IDLE,       /* in its pool */
    ORIGIN_CLOSED      /* freed at the end of the turn */
};

struct origin {
    struct retired retired; /* first */
    struct conn conn;
    struct list link;        /* in pool.idle while idle */
    struct pool *pool;
    const struct origin_codec *codec; /* how its requests are written */
    struct request *request; /* while connecting or busy */
    enum origin_phase phase; /* changed by origin_set_phase only */
    bool reused;             /* it carried a request before this one */
    bool shares;             /* a connection that is made for another request */
    bool unreached;          /* the backend did not act on the request, for all that is known */
    bool timed_out;          /* its deadline passed; the request reads this and fails it */
    int error;               /* of connecting: 0 or -errno; -EPROTO: of the handshake, see tls_transport_failure;
                              * -EPROTONOSUPPORT: the backend speaks no HTTP/2 */
    int tls_failure;         /* enum tls_failure: of the connection that it waited for, with -EPROTO */
    const char *tls_error;   /* the same in words; static */
};

/* An idle connection to the pool's address for rq, or NULL when there is none. */
struct origin *origin_reuse(struct pool *pool, struct request *rq);

/* A new connection to the pool's address for rq, connecting or busy. NULL: *error is -errno. */
struct origin *origin_connect(struct pool *pool, struct request *rq, uint64_t timeout_ms, int *error);

/* For the files of origins only. The transport of a new connection for rq: plain, or TLS as its member asks for. The
 * descriptor may be connecting still. False: out of memory. */
MUST_USE bool origin_open_transport(struct transport *t, int fd, struct pool *pool, const struct request *rq);
void origin_set_phase(struct origin *o, enum origin_phase phase);

/* The same: a socket that is being connected to the pool's address, with a descriptor of room.h's, which goes back with it. Closes what
 * is idle for it if it must. -EMFILE when there is none. */
MUST_USE int origin_open_socket(struct pool *pool, bool *pending);

/* The request is done with it: to the pool when it can carry another one, and nothing came behind the response. */
void origin_release(struct origin **o, bool reusable);

/* Closes it; *o becomes NULL. */
void origin_close(struct origin **o, enum close_reason reason);

/* Has the peer closed it, as far as can be seen without a request? Costs a system call. May read tickets of TLS. */
bool origin_is_stale(struct origin *o);
