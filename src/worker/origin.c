#include "worker/origin.h"

#include "tls/client_context.h"
#include "worker/bulk.h"
#include "worker/h1_origin.h"
#include "worker/pool.h"
#include "worker/request.h"
#include "worker/room.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

void origin_set_phase(struct origin *o, enum origin_phase phase)
{
    struct pool *pool = o->pool;

    CHECK(o->phase != ORIGIN_CLOSED);
    if (o->phase == ORIGIN_IDLE) {
        list_remove(&o->link);
        pool->idle_count--;
    } else {
        pool->busy_count--;
    }
    o->phase = phase;
    if (phase == ORIGIN_IDLE) {
        list_push_front(&pool->idle, &o->link);
        pool->idle_count++;
    } else if (phase != ORIGIN_CLOSED) {
        pool->busy_count++;
    }
}

void origin_close(struct origin **op, enum close_reason reason)
{
    struct origin *o = *op;
    struct pool *pool = o->pool;
    struct worker *w = o->conn.worker;

    *op = NULL;
    origin_set_phase(o, ORIGIN_CLOSED);
    if (o->conn.transport.fd >= 0)
        room_give_origin(w);
    conn_close(&o->conn, reason == CLOSE_ORIGIN_ABANDONED);
    worker_count_close(w, reason);
    worker_retire(w, &o->retired);
    pool_put(pool);
}

/* Below TLS, tickets come while nobody asked for anything; they are taken here. Bytes of an answer end the connection. */
static bool only_tickets_came(struct origin *o)
{
    char byte;
    size_t n;

    return transport_read(&o->conn.transport, &byte, sizeof(byte), &n) == IO_AGAIN;
}

/* An idle connection became readable: the backend closed it, or speaks out of turn. */
static SELDOM void on_idle_event(struct origin *o)
{
    if (o->pool->tls && only_tickets_came(o))
        conn_update_io(&o->conn);
    else
        origin_close(&o, CLOSE_ORIGIN_CLOSED);
}

/* Goes on with what comes before the first request; false: it has to be waited for. */
static SELDOM bool shake_hands(struct origin *o)
{
    switch (transport_handshake(&o->conn.transport)) {
    case IO_OK:
        origin_set_phase(o, ORIGIN_BUSY);
        break;
    case IO_AGAIN:
        conn_update_io(&o->conn);
        return false;
    default:
        o->error = -EPROTO;
        o->conn.broken = true;
        break;
    }
    conn_update_io(&o->conn);
    return true;
}

/* False: the handshake has to be waited for. */
static SELDOM bool on_connect_event(struct origin *o)
{
    o->error = sock_error(o->conn.transport.fd);
    o->conn.connecting = false;
    if (!o->error) {
        origin_set_phase(o, ORIGIN_HANDSHAKE);
        return shake_hands(o);
    }
    conn_update_io(&o->conn);
    return true;
}

/* Its descriptor cannot be watched. */
static SELDOM void give_up(struct origin *o)
{
    if (o->phase == ORIGIN_IDLE) {
        origin_close(&o, CLOSE_NO_MEMORY);
        return;
    }
    if (o->phase != ORIGIN_BUSY)
        o->error = -ENOMEM;
    o->conn.connecting = false;
    conn_give_up(&o->conn);
    request_go_on(o->request);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct origin *o = CONTAINER_OF(io, struct origin, conn.io);
    struct conn *c = &o->conn;

    ASSERT_WORKER(c->worker);
    if (UNLIKELY(events & EV_ERROR)) {
        give_up(o);
        return;
    }
    if (fifo_defers(&c->worker->fifo, loop, c, events))
        return;
    c->worker->served = true;
    if (o->phase == ORIGIN_IDLE) {
        on_idle_event(o);
        return;
    }
    if (o->phase == ORIGIN_CONNECTING || o->phase == ORIGIN_HANDSHAKE) {
        if (!(o->phase == ORIGIN_CONNECTING ? on_connect_event(o) : shake_hands(o)))
            return;
    } else {
        if (bulk_waits(c, events))
            return;
        if (events & EV_WRITE) {
            c->blocked = false;
            if (conn_has_unsent(c))
                conn_flush(c);
            conn_update_io(c);
        }
        /* what is left may be the start of a chunk line or of trailers, with its end still to come */
        if (buf_room(&c->in) == 0)
            buf_compact(&c->in);
        if ((events & EV_READ) && conn_read(c) == IO_AGAIN && !(events & EV_WRITE))
            return;
    }
    request_go_on(o->request);
}

static void on_late(struct conn *conn)
{
    struct origin *o = CONTAINER_OF(conn, struct origin, conn);

    ASSERT_WORKER(o->conn.worker);
    if (o->phase == ORIGIN_IDLE) {
        origin_close(&o, CLOSE_ORIGIN_IDLE);
        return;
    }
    o->timed_out = true;
    request_go_on(o->request);
}

static const struct conn_owner conn_events = {on_io, on_late};

struct origin *origin_reuse(struct pool *pool, struct request *rq)
{
    struct origin *o;

    if (list_empty(&pool->idle))
        return NULL;
    o = CONTAINER_OF(pool->idle.next, struct origin, link);
    origin_set_phase(o, ORIGIN_BUSY);
    o->request = rq;
    o->reused = true;
    o->timed_out = false;
    conn_deadline(&o->conn, 0);
    return o;
}

bool origin_open_transport(struct transport *t, int fd, struct pool *pool, const struct request *rq)
{
    const struct member_tls *tls = &rq->member->tls;
    struct tls_peer peer = {tls->name, tls->is_ip};

    transport_open_tcp(t, fd);
    return !tls->client || tls_client_open(tls->client, t, fd, &peer, &pool->sessions);
}

/* The kernel may have fewer descriptors left than we count. */
static int connect_with_room(struct pool *pool, bool *pending)
{
    int fd = sock_connect(&pool->address, pending);

    if (UNLIKELY(fd == -EMFILE || fd == -ENFILE) && room_make_descriptor(pool->worker, true))
        fd = sock_connect(&pool->address, pending);
    if (fd < 0)
        room_give_origin(pool->worker);
    return fd;
}

int origin_open_socket(struct pool *pool, bool *pending)
{
    int fd = -EMFILE;

    pool->busy_count++; /* keeps it, should its last idle connection be closed for this one */
    if (room_take_origin(pool->worker))
        fd = connect_with_room(pool, pending);
    pool->busy_count--;
    return fd;
}

static struct origin *new_origin(struct pool *pool, struct request *rq, const struct transport *transport, bool pending)
{
    struct origin *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    conn_open(&o->conn, pool->worker, transport, &conn_events);
    list_init(&o->link);
    o->pool = pool;
    o->codec = &h1_origin_codec;
    o->request = rq;
    o->phase = pending ? ORIGIN_CONNECTING : ORIGIN_HANDSHAKE;
    o->conn.connecting = pending;
    pool->busy_count++;
    return o;
}

struct origin *origin_connect(struct pool *pool, struct request *rq, uint64_t timeout_ms, int *error)
{
    struct transport transport;
    struct origin *o = NULL;
    bool pending;
    int fd = origin_open_socket(pool, &pending);

    if (fd < 0) {
        *error = fd;
        return NULL;
    }
    if (!origin_open_transport(&transport, fd, pool, rq))
        sock_close_reset(fd);
    else if (!(o = new_origin(pool, rq, &transport, pending)))
        transport_close(&transport, true);
    if (!o) {
        room_give_origin(pool->worker);
        *error = -ENOMEM;
        return NULL;
    }
    conn_deadline(&o->conn, timeout_ms);
    if (pending)
        conn_update_io(&o->conn);
    else
        (void)shake_hands(o);
    return o;
}

void origin_release(struct origin **op, bool reusable)
{
    struct origin *o = *op;
    struct worker *w = o->conn.worker;
    const struct settings *settings = worker_settings(w);

    if (o->conn.transport.fd < 0) {
        origin_close(op, CLOSE_STREAM_DONE);
        return;
    }
    if (!reusable || o->conn.eof || o->conn.broken || o->conn.unwritable || buf_len(&o->conn.in) ||
        conn_has_unsent(&o->conn) || (o->conn.filled && origin_is_stale(o))) {
        origin_close(op, CLOSE_ORIGIN_DONE);
        return;
    }
    if (o->pool->idle_count >= settings->pool_size || w->stopping) {
        origin_close(op, CLOSE_ORIGIN_SURPLUS);
        return;
    }
    *op = NULL;
    o->request = NULL;
    bulk_leave(&o->conn);
    block_pool_release(&w->blocks, &o->conn.in);
    conn_resume(&o->conn);
    conn_deadline(&o->conn, settings->pool_timeout_ms);
    origin_set_phase(o, ORIGIN_IDLE);
}

bool origin_is_stale(struct origin *o)
{
    char byte;

    if (o->pool->tls)
        return !only_tickets_came(o);
    return recv(o->conn.transport.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}
