#include "worker/carrier.h"

#include "tls/tls_transport.h"
#include "worker/h2_origin.h"
#include "worker/h2_stream.h"
#include "worker/origin.h"
#include "worker/pool.h"
#include "worker/request.h"
#include "worker/room.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { SILENT_MS = 1000 };

static struct carrier *of(struct h2_session *h2)
{
    return CONTAINER_OF(h2, struct carrier, h2);
}

static void close_conn(struct carrier *k)
{
    if (k->conn.transport.fd >= 0)
        room_give_origin(k->conn.worker);
    conn_close(&k->conn, false);
}

static bool is_being_made(const struct carrier *k)
{
    return k->phase < CARRIER_OPEN;
}

/* Into the list where it belongs; those with places are used before newer ones, so that surplus ones become idle. */
static void put_in_list(struct carrier *k)
{
    bool has = k->phase == CARRIER_OPEN && h2_session_places(&k->h2);

    if (has == k->has_places)
        return;
    k->has_places = has;
    list_remove(&k->link);
    list_push_back(has ? &k->pool->carriers : &k->pool->full, &k->link);
}

static void set_phase(struct carrier *k, enum carrier_phase phase)
{
    bool made = is_being_made(k);

    k->phase = phase;
    if (made && !is_being_made(k))
        k->pool->carriers_made--;
    k->idle = false;
    conn_deadline(&k->conn, phase == CARRIER_DOUBTED || is_being_made(k) ? k->timeout_ms : 0);
    put_in_list(k);
}

/* Nothing is left of it. Last, as the pool may go with it. */
static void end(struct carrier *k, enum close_reason reason)
{
    struct pool *pool = k->pool;
    struct worker *w = pool->worker;

    if (k->h2.ng)
        h2_session_close(&k->h2);
    list_remove(&k->link);
    pool->carrier_count--;
    if (is_being_made(k))
        pool->carriers_made--;
    close_conn(k);
    worker_count_close(w, reason);
    worker_retire(w, &k->retired);
    if (list_empty(&pool->waiting))
        pool_put(pool);
    else
        h2_origin_seat_waiting(pool);
}

/* The backend is told. */
static void say_goodbye(struct carrier *k, enum close_reason reason)
{
    h2_session_say_goodbye(&k->h2, 0);
    conn_flush(&k->conn);
    end(k, reason);
}

/* Before its SETTINGS a backend that goes away has not understood. */
static struct carrier_failure failure_of(const struct carrier *k)
{
    enum tls_failure tls = tls_transport_failure(&k->conn.transport);

    if (k->error && k->error != -EPROTO)
        return (struct carrier_failure){.error = k->error};
    if (k->error == -EPROTO || tls == TLS_FAILURE_ALERT)
        return (struct carrier_failure){-EPROTO, tls, tls_transport_error(&k->conn.transport)};
    return (struct carrier_failure){.error = -EPROTONOSUPPORT};
}

/* Of no use any more. Who waits for it is told why; its streams end each by itself, and with the last of them the carrier. */
static void lose(struct carrier *k, enum close_reason reason)
{
    struct pool *pool = k->pool;
    bool made = is_being_made(k);
    struct carrier_failure failure = failure_of(k);

    if (!k->h2.ng) {
        pool->busy_count++; /* keeps it for what follows */
        h2_origin_fail_waiting(pool, &failure);
        pool->busy_count--;
        end(k, reason);
        return;
    }
    set_phase(k, CARRIER_LOST);
    close_conn(k);
    if (made)
        h2_origin_fail_waiting(pool, &failure);
    h2_session_lose(&k->h2, reason);
}

/* ---- its session */

static void set_idle(struct carrier *k)
{
    bool idle = k->phase == CARRIER_OPEN && !k->h2.stream_count;

    if (idle == k->idle)
        return;
    k->idle = idle;
    k->h2.most = H2_REQUESTS_MAX;
    conn_deadline(&k->conn, idle ? worker_settings(k->conn.worker)->pool_timeout_ms : 0);
}

/* The work of a turn is done: what has become of it? */
static void settled(struct h2_session *h2)
{
    struct carrier *k = of(h2);

    if (k->phase == CARRIER_LOST) {
        if (!h2->stream_count)
            end(k, h2->over);
        return;
    }
    if (h2->over) {
        lose(k, CLOSE_ORIGIN_FAILED);
        return;
    }
    if ((k->phase == CARRIER_GREETING && h2->greeted) || (k->phase == CARRIER_DOUBTED && !h2->asked))
        set_phase(k, CARRIER_OPEN);
    if (k->phase == CARRIER_OPEN && h2_session_is_used_up(h2))
        set_phase(k, CARRIER_LEAVING);
    if (!h2->stream_count && (k->phase == CARRIER_LEAVING || (k->conn.worker->stopping && !is_being_made(k)))) {
        say_goodbye(k, k->phase == CARRIER_LEAVING ? CLOSE_ORIGIN_CLOSED : CLOSE_SHUTDOWN);
        return;
    }
    put_in_list(k);
    set_idle(k);
    h2_origin_seat_waiting(k->pool);
}

static const struct h2_owner owner = {.settled = settled};

/* ---- its connection */

/* Begins to speak. */
static void greet(struct carrier *k)
{
    if (k->pool->tls && !slice_eq(tls_transport_protocol(&k->conn.transport), SLICE("h2"))) {
        lose(k, CLOSE_ORIGIN_FAILED);
        return;
    }
    if (!h2_session_open(&k->h2, &k->conn, H2_CLIENT, &owner)) {
        k->error = -ENOMEM;
        lose(k, CLOSE_NO_MEMORY);
        return;
    }
    k->phase = CARRIER_GREETING;
    conn_update_io(&k->conn);
}

static void shake_hands(struct carrier *k)
{
    switch (transport_handshake(&k->conn.transport)) {
    case IO_OK:
        greet(k);
        return;
    case IO_AGAIN:
        conn_update_io(&k->conn);
        return;
    default:
        k->error = -EPROTO;
        lose(k, CLOSE_ORIGIN_FAILED);
    }
}

static void connected(struct carrier *k)
{
    k->conn.connecting = false;
    k->error = sock_error(k->conn.transport.fd);
    if (k->error) {
        lose(k, CLOSE_ORIGIN_FAILED);
        return;
    }
    k->phase = CARRIER_HANDSHAKE;
    shake_hands(k);
}

static void receive(struct carrier *k)
{
    k->heard_ms = k->conn.worker->now_ms;
    switch (conn_read(&k->conn)) {
    case IO_OK:
        h2_session_input(&k->h2);
        return;
    case IO_AGAIN:
        return;
    case IO_EOF:
    case IO_ERROR:
        lose(k, k->h2.stream_count || is_being_made(k) ? CLOSE_ORIGIN_FAILED : CLOSE_ORIGIN_CLOSED);
        return;
    }
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct carrier *k = CONTAINER_OF(io, struct carrier, conn.io);

    ASSERT_WORKER(k->conn.worker);
    if (UNLIKELY(events & EV_ERROR)) {
        k->error = -ENOMEM;
        lose(k, CLOSE_NO_MEMORY);
        return;
    }
    if (fifo_defers(&k->conn.worker->fifo, loop, &k->conn, events))
        return;
    if (k->phase < CARRIER_GREETING) {
        if (k->phase == CARRIER_CONNECTING)
            connected(k);
        else
            shake_hands(k);
        return;
    }
    if (events & EV_WRITE) {
        k->conn.blocked = false;
        conn_flush(&k->conn);
        conn_update_io(&k->conn);
        h2_session_touch(&k->h2);
    }
    if (events & EV_READ)
        receive(k);
}

static void on_late(struct conn *conn)
{
    struct carrier *k = CONTAINER_OF(conn, struct carrier, conn);

    ASSERT_WORKER(k->conn.worker);
    if (k->idle) {
        say_goodbye(k, CLOSE_ORIGIN_IDLE);
        return;
    }
    k->error = -ETIMEDOUT;
    lose(k, CLOSE_ORIGIN_FAILED);
}

static const struct conn_owner conn_events = {on_io, on_late};

struct carrier *carrier_open(struct pool *pool, const struct request *rq, int *error)
{
    struct transport transport;
    struct carrier *k;
    bool pending;
    int fd = origin_open_socket(pool, &pending);

    if (fd < 0) {
        *error = fd;
        return NULL;
    }
    k = calloc(1, sizeof(*k));
    if (!k || !origin_open_transport(&transport, fd, pool, rq)) {
        sock_close_reset(fd);
        room_give_origin(pool->worker);
        free(k);
        *error = -ENOMEM;
        return NULL;
    }
    conn_open(&k->conn, pool->worker, &transport, &conn_events);
    k->pool = pool;
    k->timeout_ms = rq->member->connect_timeout_ms;
    k->conn.connecting = true; /* writable at once, if it is connected already */
    list_init(&k->link);
    list_push_back(&pool->full, &k->link);
    pool->carrier_count++;
    pool->carriers_made++;
    conn_deadline(&k->conn, k->timeout_ms);
    conn_update_io(&k->conn);
    return k;
}

/* ---- its streams */

/* What a backend says before it closes, or below TLS, is found when it is read. */
static bool is_stale(const struct carrier *k)
{
    char byte;
    ssize_t n = recv(k->conn.transport.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

struct carrier *carrier_find(struct pool *pool, bool careful)
{
    while (!list_empty(&pool->carriers)) {
        struct carrier *k = CONTAINER_OF(pool->carriers.next, struct carrier, link);

        if (!careful || k->h2.stream_count || !is_stale(k))
            return k;
        lose(k, CLOSE_ORIGIN_CLOSED);
    }
    return NULL;
}

void carrier_seat(struct carrier *k, struct h2_stream *stream, struct conn *conn)
{
    CHECK(k->has_places);
    h2_stream_open(stream, &k->h2, 0, conn, &conn->transport);
    put_in_list(k);
    set_idle(k);
}

void carrier_refused(struct carrier *k)
{
    if (k->h2.stream_count <= 1)
        return;
    k->h2.most = k->h2.stream_count - 1;
    put_in_list(k);
}

void carrier_doubt(struct carrier *k)
{
    if (k->phase != CARRIER_OPEN || k->conn.worker->now_ms - k->heard_ms < SILENT_MS)
        return;
    h2_session_ask(&k->h2);
    set_phase(k, CARRIER_DOUBTED);
}

bool carrier_close_one(struct pool *pool)
{
    struct list *node, *next;

    LIST_EACH (node, next, &pool->carriers) {
        struct carrier *k = CONTAINER_OF(node, struct carrier, link);

        if (k->idle) {
            say_goodbye(k, CLOSE_MADE_ROOM);
            return true;
        }
    }
    return false;
}

static void close_idle(struct list *carriers)
{
    struct list *node, *next;

    LIST_EACH (node, next, carriers) {
        struct carrier *k = CONTAINER_OF(node, struct carrier, link);

        if (is_being_made(k) && list_empty(&k->pool->waiting))
            end(k, CLOSE_SHUTDOWN);
        else if (!is_being_made(k) && !k->h2.stream_count)
            say_goodbye(k, CLOSE_SHUTDOWN);
    }
}

void carrier_close_idle(struct pool *pool)
{
    close_idle(&pool->carriers);
    close_idle(&pool->full);
}
