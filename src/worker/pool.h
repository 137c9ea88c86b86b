/* pool.h - one worker's connections to one backend address, in one version of HTTP.
 *
 * With TLS a pool is of one context and one name, too: what was verified otherwise, or for another name, must not be used.
 *
 * Idle connections are used newest first, so that surplus ones reach their idle timeout. A pool exists as long as it
 * has a connection; while it has TLS sessions, which save the next connection much of its handshake, some minutes more.
 *
 * Thread: the worker's. Ownership: the worker's map owns pools; a pool owns its idle origins. */
#pragma once
#include "base/list.h"
#include "base/sock.h"
#include "tls/sessions.h"
#include "worker/worker_state.h"

struct member;
struct origin;
struct request;

struct pool {
    struct worker *worker;
    struct address address;
    bool tls;
    struct tls_sessions sessions; /* of its connections, for the next ones */
    ev_timer forget;              /* ends the time without a connection */
    struct list idle;     /* origins, newest first */
    unsigned idle_count;
    unsigned busy_count;  /* origins that carry a request or connect */
    bool http2;           /* its origins are streams of carriers (worker/carrier.h), and none is ever idle */
    struct list carriers; /* those with places */
    struct list full;     /* the others */
    unsigned carrier_count;
    unsigned carriers_made; /* of them, those that are being made */
    struct list waiting;  /* origins without a place, first come first */
    size_t key_len;
    char key[];           /* in the worker's map */
};

/* The pool for an address of a member, with its TLS and its version of HTTP, made if there is none. NULL: out of memory. */
struct pool *pool_get(struct worker *w, const struct address *address, const struct member *m);

/* An origin at the pool's address for rq: an idle connection, a new one, or a stream. It may have to be waited for. NULL: *error is
 * -errno. */
struct origin *pool_take(struct pool *pool, struct request *rq, int *error);

/* Frees the pool if it has no connection left, at once or later. */
void pool_put(struct pool *pool);

/* Closes one that carries no request, of any pool. False: there is none. */
bool pool_close_one(struct worker *w);

/* Closes all connections of all pools that carry no request. */
void pool_close_idle(struct worker *w);
