#include "worker/client.h"

#include "base/sock.h"
#include "tls/tls_facts.h"
#include "tls/tls_transport.h"
#include "worker/arrival.h"
#include "worker/bulk.h"
#include "worker/client_secure.h"
#include "worker/client_session.h"
#include "worker/h1_client.h"
#include "worker/handshake.h"
#include "worker/memory.h"
#include "worker/pacing.h"
#include "worker/request.h"
#include "worker/room.h"

#include <stdlib.h>

enum { LINGER_MS = 2000, REQUESTS_PER_TURN = 16 };

void client_set_phase(struct client *c, enum client_phase phase)
{
    struct worker *w = c->conn.worker;
    const struct settings *settings = worker_settings(w);

    if (c->phase == phase)
        return;
    CHECK(c->phase != CLIENT_CLOSED);
    c->phase = phase;
    c->since_ms = w->now_ms;
    list_remove(&c->link);
    if (phase == CLIENT_CLOSED || c->stream)
        return;
    list_push_back(phase == CLIENT_IDLE      ? &w->idle_clients
                   : phase == CLIENT_HEAD    ? &w->head_clients
                   : phase == CLIENT_SESSION ? &w->sessions
                                             : &w->busy_clients,
                   &c->link);
    switch (phase) {
    case CLIENT_HANDSHAKE:
        conn_deadline(&c->conn, settings->handshake_timeout_ms);
        break;
    case CLIENT_IDLE:
        conn_deadline(&c->conn, settings->keep_alive_timeout_ms);
        break;
    case CLIENT_HEAD:
        conn_deadline(&c->conn, settings->head_timeout_ms);
        break;
    case CLIENT_LINGER:
        conn_deadline(&c->conn, LINGER_MS);
        break;
    default:
        conn_deadline(&c->conn, 0);
    }
}

void client_close(struct client *c, enum close_reason reason)
{
    struct worker *w = c->conn.worker;

    if (c->request)
        request_abandon(&c->request);
    if (c->phase == CLIENT_HANDSHAKE && c->handshake)
        handshake_end(&c->handshake);
    else if (c->phase == CLIENT_SESSION && c->session)
        client_session_drop(c);
    client_set_phase(c, CLIENT_CLOSED);
    conn_close(&c->conn, reason == CLOSE_RESPONSE_CUT || reason == CLOSE_CLIENT_SLOW ||
                             reason == CLOSE_CLIENT_READS_SLOWLY ||
                             reason == CLOSE_TUNNEL_CUT);
    if (c->tls && !c->stream)
        COUNTER_ADD(w->secure_clients, (uint64_t)-1);
    if (!c->stream)
        tls_facts_free(c->tls);
    if (c->counted)
        room_leave_address(w, &c->peer);
    worker_count_close(w, reason);
    worker_retire(w, &c->retired);
    if (!c->stream)
        worker_client_closed(w);
}

/* Its bytes can be taken again. */
static void listen_on(struct client *c)
{
    if (UNLIKELY(c->unwatched))
        arrival_watch(c);
    conn_resume(&c->conn);
}

/* Closing with unread bytes would send a RST that can destroy the response on its way, so the rest is read and
 * thrown away for a while (RFC 9112 9.6). */
void client_linger(struct client *c, enum close_reason reason)
{
    if (c->conn.eof || c->conn.broken || c->conn.unwritable) {
        client_close(c, reason);
        return;
    }
    c->last = reason;
    transport_shutdown(&c->conn.transport);
    c->conn.in.start = c->conn.in.end = 0;
    client_set_phase(c, CLIENT_LINGER);
    listen_on(c);
}

static void linger_read(struct client *c)
{
    enum io io = conn_read(&c->conn);

    block_pool_release(&c->conn.worker->blocks, &c->conn.in);
    if (io == IO_EOF || io == IO_ERROR)
        client_close(c, c->last);
}

/* Has it sent more than belongs to the request? What nobody was told of yet counts, too. */
static bool has_unread(const struct client *c)
{
    return c->unread || !request_upload_done(c->request) || buf_len(&c->conn.in) ||
           (!c->request->keep_alive && c->conn.transport.fd >= 0 && sock_unread(c->conn.transport.fd));
}

/* The request ended. Is there a next one on this connection? */
static bool client_next(struct client *c)
{
    struct worker *w = c->conn.worker;
    bool keep_alive = c->request->keep_alive;
    enum close_reason reason = c->request->close_reason;
    bool unread = has_unread(c);
    enum close_reason last = c->ends ? c->ends : CLOSE_CLIENT_LAST;

    request_free(&c->request);
    if (reason != CLOSE_NONE || c->stream) {
        client_close(c, reason != CLOSE_NONE ? reason : CLOSE_STREAM_DONE);
        return false;
    }
    if (!keep_alive && unread) {
        client_linger(c, last);
        return false;
    }
    if (!keep_alive || w->stopping) {
        client_close(c, w->stopping ? CLOSE_SHUTDOWN : last);
        return false;
    }
    client_set_phase(c, CLIENT_IDLE);
    listen_on(c);
    if (buf_len(&c->conn.in))
        return true;
    block_pool_release(&w->blocks, &c->conn.in);
    if (c->conn.eof) {
        client_close(c, CLOSE_CLIENT_DONE);
        return false;
    }
    return false;
}

void client_drive(struct client *c)
{
    for (int n = 0; n < REQUESTS_PER_TURN; n++) {
        if (!c->request) {
            c->request = request_new(c->conn.worker, c, &h1_client_codec);
            if (!c->request) {
                client_close(c, CLOSE_NO_MEMORY);
                return;
            }
            client_set_phase(c, CLIENT_HEAD);
        }
        if (request_run(c->request) == STEP_WAIT)
            return;
        if (!client_next(c))
            return;
    }
    ev_feed_event(c->conn.worker->loop, &c->conn.io, EV_CUSTOM);
}

void client_head_done(struct client *c)
{
    client_set_phase(c, CLIENT_REQUEST);
    c->request_total++;
    c->ends = c->stream ? CLOSE_NONE : client_used_up(c, c->request_total);
}

enum close_reason client_used_up(const struct client *c, uint64_t requests)
{
    const struct worker *w = c->conn.worker;
    const struct settings *settings = worker_settings(w);

    if (settings->keep_alive_requests && requests >= settings->keep_alive_requests)
        return CLOSE_CLIENT_SERVED;
    if (settings->keep_alive_age_ms && w->now_ms - c->opened_ms >= settings->keep_alive_age_ms)
        return CLOSE_CLIENT_AGED;
    return CLOSE_NONE;
}

/* Bytes came between requests. The first of a connection may say that it speaks HTTP/2. */
static void received(struct client *c)
{
    struct slice bytes = slice_of(buf_head(&c->conn.in), buf_len(&c->conn.in));

    if (LIKELY(!c->fresh)) {
        client_drive(c);
        return;
    }
    c->fresh = !c->secure && worker_settings(c->conn.worker)->h2_cleartext && client_session_is_preface(bytes);
    if (!c->fresh)
        client_drive(c);
    else if (bytes.len >= CLIENT_SESSION_PREFACE)
        client_session_start(c);
}

/* There is no memory to read its request into. */
static SELDOM void refuse_unread(struct client *c)
{
    c->unread = true;
    c->request = request_new(c->conn.worker, c, &h1_client_codec);
    if (!c->request) {
        client_close(c, CLOSE_NO_MEMORY);
        return;
    }
    client_set_phase(c, CLIENT_HEAD);
    CHECK(request_client_late(c->request, VERDICT_BUFFERS_FULL));
    client_drive(c);
}

static void head_read(struct client *c)
{
    if (memory_is_full(c->conn.worker) && !c->conn.in.data) {
        if (!c->unwatched) /* else perhaps nothing came */
            refuse_unread(c);
        return;
    }
    switch (conn_read(&c->conn)) {
    case IO_OK:
        received(c);
        return;
    case IO_AGAIN:
        if (c->phase == CLIENT_IDLE)
            block_pool_release(&c->conn.worker->blocks, &c->conn.in);
        return;
    case IO_EOF:
        client_close(c, c->phase == CLIENT_IDLE ? CLOSE_CLIENT_DONE : CLOSE_CLIENT_GONE);
        return;
    case IO_ERROR:
        client_close(c, CLOSE_CLIENT_ERROR);
        return;
    }
}

static void request_read(struct client *c)
{
    if (!request_make_room(c->request)) {
        c->conn.paused = true;
        conn_update_io(&c->conn);
        return;
    }
    switch (conn_read(&c->conn)) {
    case IO_OK:
        if (!request_upload_done(c->request))
            client_drive(c);
        return;
    case IO_AGAIN:
        return;
    case IO_EOF:
    case IO_ERROR:
        if (request_outlives_upload(c->request))
            client_drive(c);
        else
            client_close(c, CLOSE_CLIENT_GONE);
        return;
    }
}

void client_stop(struct client *c)
{
    if (conn_read(&c->conn) == IO_OK)
        received(c);
    else
        client_close(c, CLOSE_SHUTDOWN);
}

/* Others are being served: what has arrived runs later. */
bool client_make_room(struct client *c)
{
    struct worker *w = c->conn.worker;

    if (!buf_len(&c->conn.in) && conn_read(&c->conn) != IO_OK) {
        client_close(c, CLOSE_MADE_ROOM);
        return true;
    }
    c->since_ms = w->now_ms;
    list_remove(&c->link);
    list_push_back(&w->idle_clients, &c->link);
    ev_feed_event(w->loop, &c->conn.io, EV_CUSTOM);
    return false;
}

static void handle(struct client *c, int events)
{
    if (c->phase == CLIENT_HANDSHAKE) {
        handshake_ready(c->handshake);
        return;
    }
    c->conn.worker->served = true;
    if (bulk_waits(&c->conn, events))
        return;
    if (c->phase == CLIENT_SESSION) {
        client_session_event(c, events);
        return;
    }
    if (events & EV_WRITE) {
        c->conn.blocked = false;
        conn_flush(&c->conn);
        conn_update_io(&c->conn);
        if (c->request)
            client_drive(c);
    }
    if ((events & EV_CUSTOM) && c->phase == CLIENT_IDLE && buf_len(&c->conn.in))
        received(c);
    if (!(events & EV_READ) || c->phase == CLIENT_CLOSED)
        return;
    switch (c->phase) {
    case CLIENT_IDLE:
    case CLIENT_HEAD:
        head_read(c);
        return;
    case CLIENT_REQUEST:
        request_read(c);
        return;
    default:
        linger_read(c);
    }
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct client *c = CONTAINER_OF(io, struct client, conn.io);

    ASSERT_WORKER(c->conn.worker);
    if (UNLIKELY(events & EV_ERROR)) {
        client_close(c, CLOSE_NO_MEMORY);
        return;
    }
    if (!c->unwatched && fifo_defers(&c->conn.worker->fifo, loop, &c->conn, events))
        return;
    handle(c, events);
    if (c->unwatched)
        arrival_settle(c);
}

void client_late(struct client *c)
{
    enum close_reason reason;
    enum verdict verdict;

    if (!pacing_is_slow(c->request, &reason, &verdict))
        return;
    conn_deadline(&c->conn, 0);
    if (request_client_late(c->request, verdict))
        client_drive(c);
    else
        client_close(c, reason);
}

static void on_late(struct conn *conn)
{
    struct client *c = CONTAINER_OF(conn, struct client, conn);

    ASSERT_WORKER(c->conn.worker);
    switch (c->phase) {
    case CLIENT_HANDSHAKE:
        client_handshake_failed(c, CLOSE_HANDSHAKE_SLOW);
        return;
    case CLIENT_IDLE:
        client_close(c, CLOSE_CLIENT_IDLE);
        return;
    case CLIENT_HEAD:
    case CLIENT_REQUEST:
        client_late(c);
        return;
    case CLIENT_SESSION:
        client_session_late(c);
        return;
    default:
        client_close(c, c->last);
    }
}

static const struct conn_owner conn_events = {on_io, on_late};

static void start(struct client *c, struct worker *w, const struct transport *transport, const struct address *peer,
                  bool counted)
{
    conn_open(&c->conn, w, transport, &conn_events);
    c->peer = *peer;
    c->counted = counted;
    c->opened_ms = c->since_ms = w->now_ms;
    c->last = CLOSE_CLIENT_LAST;
    list_init(&c->link);
    COUNTER_ADD(w->accepted, 1);
    COUNTER_ADD(w->clients, 1);
}

bool client_open(struct worker *w, const struct transport *transport, const struct address *peer, bool counted)
{
    struct client *c = calloc(1, sizeof(*c));

    if (!c) {
        struct transport lost = *transport;

        transport_close(&lost, true);
        return false;
    }
    start(c, w, transport, peer, counted);
    c->phase = CLIENT_IDLE;
    c->fresh = true;
    list_push_back(&w->idle_clients, &c->link);
    conn_deadline(&c->conn, worker_settings(w)->head_timeout_ms);
    arrival_begin(c);
    return true;
}

bool client_open_secure(struct worker *w, int fd, const struct address *peer, bool counted)
{
    struct client *c = calloc(1, sizeof(*c));
    struct transport transport;
    struct handshake *h = c ? handshake_begin(c, w, fd, &transport) : NULL;

    if (!h) {
        free(c);
        sock_close_reset(fd);
        return false;
    }
    start(c, w, &transport, peer, counted);
    c->handshake = h;
    c->phase = CLIENT_HANDSHAKE;
    list_push_back(&w->busy_clients, &c->link);
    conn_deadline(&c->conn, worker_settings(w)->handshake_timeout_ms);
    conn_update_io(&c->conn);
    return true;
}

const char *client_subject(const struct client *c)
{
    return c->tls ? c->tls->subject : NULL;
}
