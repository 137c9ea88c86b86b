#include "control/connection.h"

#include "base/clock.h"
#include "base/late.h"
#include "base/log.h"
#include "base/need.h"
#include "control/control.h"
#include "control/registry.h"
#include "tls/registry_context.h"
#include "tls/tls_transport.h"

#include <stdlib.h>

enum {
    OUT_KEPT = 4096, /* an empty output buffer up to this size is kept */
    TURN_MS = 100,   /* how long a time-out waits for the turn of what has come */
    LINGER_MS = 2000 /* longest wait for the client's end when closing */
};

static bool has_output(const struct connection *conn)
{
    return conn->out_len || conn->transport.unsent;
}

static void update_io(struct connection *conn)
{
    int events = 0;

    if (conn->phase != CONNECTION_CLOSED) {
        events |= connection_wants_input(conn) ? EV_READ : 0;
        events |= has_output(conn) || conn->transport.wants_write ? EV_WRITE : 0;
    }
    if (conn->transport.pending && (events & EV_READ))
        ev_feed_event(conn->control->loop, &conn->io, EV_READ);
    if (events == (conn->io.events & (EV_READ | EV_WRITE)) && ev_is_active(&conn->io))
        return;
    ev_io_stop(conn->control->loop, &conn->io);
    if (!events)
        return;
    ev_io_set(&conn->io, conn->transport.fd, events);
    ev_io_start(conn->control->loop, &conn->io);
}

static void set_deadline(struct connection *conn, uint64_t ms)
{
    ev_timer_stop(conn->control->loop, &conn->deadline);
    ev_timer_set(&conn->deadline, (double)ms / 1000.0, 0.);
    ev_timer_start(conn->control->loop, &conn->deadline);
}

static void set_phase(struct connection *conn, enum connection_phase phase)
{
    const struct settings *s = conn->control->settings;

    CHECK(phase > conn->phase);
    conn->phase = phase;
    switch (phase) {
    case CONNECTION_HANDSHAKE:
        break;
    case CONNECTION_OPEN:
        conn->spoke_ms = conn->opened_ms = clock_ms();
        conn->excused = false;
        set_deadline(conn, conn->authorized ? s->registry_idle_ms : s->registry_auth_ms);
        break;
    case CONNECTION_CLOSING:
        ev_timer_stop(conn->control->loop, &conn->pause);
        set_deadline(conn, LINGER_MS);
        break;
    case CONNECTION_CLOSED:
        ev_timer_stop(conn->control->loop, &conn->pause);
        ev_timer_stop(conn->control->loop, &conn->deadline);
        update_io(conn);
        transport_close(&conn->transport, false);
        registry_not_due(conn->registry, conn);
        registry_retire(conn->registry, conn);
        break;
    }
}

void connection_abort(struct connection *conn, enum connection_end why)
{
    struct session *s = conn->session;
    char peer[ADDRESS_TEXT_SIZE];

    ASSERT_CONTROL();
    if (conn->phase == CONNECTION_CLOSED)
        return;
    if (conn->last != CONNECTION_END_DONE)
        why = conn->last;
    else
        conn->control->counts.ended[why]++;
    address_format(&conn->peer, peer);
    log_write(LOG_DEBUG, "[registry-v2] Connection closed", "peer=%s reason=\"%s\"", peer,
              connection_end_text(why));
    set_phase(conn, CONNECTION_CLOSED);
    connection_unbind(conn);
    if (s)
        model_disconnected(&conn->control->model, s);
}

/* Writes what it can. */
static void flush(struct connection *conn)
{
    while (has_output(conn)) {
        struct iovec rest = {conn->out + conn->out_start, conn->out_len};
        size_t n;
        enum io io = transport_write(&conn->transport, &rest, conn->out_len ? 1 : 0, &n);

        if (io == IO_ERROR) {
            connection_abort(conn, CONNECTION_END_SEND_FAILED);
            return;
        }
        conn->out_start += n;
        conn->out_len -= n;
        if (io == IO_AGAIN || conn->transport.unsent)
            return;
    }
    conn->out_start = 0;
    if (conn->out_cap > OUT_KEPT) {
        free(conn->out);
        conn->out = NULL;
        conn->out_cap = 0;
    }
}

void connection_settle(struct connection *conn)
{
    if (conn->phase == CONNECTION_HANDSHAKE)
        return;
    flush(conn);
    if (conn->phase == CONNECTION_CLOSING && !has_output(conn)) {
        if (conn->eof) {
            connection_abort(conn, CONNECTION_END_DONE);
            return;
        }
        /* The client's end is waited for, as what it still sends would destroy what it has not
         * read. */
        transport_shutdown(&conn->transport);
    }
    if (conn->phase != CONNECTION_CLOSED)
        update_io(conn);
}

enum room { ROOM_MADE, ROOM_OVER_LIMIT, ROOM_NO_MEMORY };

/* Room for len more bytes of output, unless the client leaves too much unread. A single line always fits behind an empty
 * queue. */
static enum room make_room(struct connection *conn, size_t len)
{
    size_t limit = conn->control->settings->registry_output, cap;
    char *grown;

    if (conn->out_len && conn->out_len + len > limit)
        flush(conn);
    if (conn->phase == CONNECTION_CLOSED || (conn->out_len && conn->out_len + len > limit))
        return ROOM_OVER_LIMIT;
    if (conn->out_start + conn->out_len + len <= conn->out_cap)
        return ROOM_MADE;
    if (conn->out_start)
        memmove(conn->out, conn->out + conn->out_start, conn->out_len);
    conn->out_start = 0;
    for (cap = conn->out_cap ? conn->out_cap : 512; cap < conn->out_len + len;)
        cap *= 2;
    grown = realloc(conn->out, cap);
    if (!grown)
        return ROOM_NO_MEMORY;
    conn->out = grown;
    conn->out_cap = cap;
    return ROOM_MADE;
}

void connection_refuse(struct connection *conn, const char *reason)
{
    char line[256];
    int len = snprintf(line, sizeof(line), "ERROR|%.200s", reason);

    connection_send(conn, slice_of(line, (size_t)len));
}

void connection_dismiss(struct connection *conn, enum connection_end why, const char *reason)
{
    conn->control->counts.ended[why]++;
    conn->last = why;
    connection_refuse(conn, reason);
    connection_close(conn);
}

void connection_send(struct connection *conn, struct slice line)
{
    char *at;

    ASSERT_CONTROL();
    if (conn->phase == CONNECTION_CLOSED || conn->phase == CONNECTION_HANDSHAKE)
        return;
    switch (make_room(conn, line.len + 1)) {
    case ROOM_MADE:
        break;
    case ROOM_NO_MEMORY:
        connection_abort(conn, CONNECTION_END_MEMORY);
        return;
    case ROOM_OVER_LIMIT:
        conn->control->counts.refused[REGISTRY_LIMIT_OUTPUT]++;
        log_write(LOG_WARN, "[registry-v2] Connection closed, its client does not read",
                  "queued=%zu", conn->out_len);
        connection_abort(conn, CONNECTION_END_OUTPUT);
        return;
    }
    CHECK(conn->out);
    at = conn->out + conn->out_start + conn->out_len;
    memcpy(at, line.data, line.len);
    at[line.len] = '\n';
    conn->out_len += line.len + 1;
    if (!conn->running)
        connection_settle(conn);
}

void connection_close(struct connection *conn)
{
    ASSERT_CONTROL();
    if (conn->phase != CONNECTION_OPEN)
        return;
    set_phase(conn, CONNECTION_CLOSING);
    if (!conn->running)
        connection_settle(conn);
}

/* The certificate counts from now on. */
static void begin(struct connection *conn)
{
    conn->certificate = tls_names_of_peer(&conn->transport);
    if (conn->certificate)
        conn->authorized = true;
    set_phase(conn, CONNECTION_OPEN);
    update_io(conn);
}

void connection_shake_hands(struct connection *conn)
{
    char peer[ADDRESS_TEXT_SIZE];

    switch (transport_handshake(&conn->transport)) {
    case IO_OK:
        conn->control->counts.handshakes++;
        begin(conn);
        return;
    case IO_AGAIN:
        update_io(conn);
        return;
    default:
        break;
    }
    conn->control->counts.handshakes_failed++;
    address_format(&conn->peer, peer);
    log_write(LOG_INFO, "[registry-v2] TLS handshake failed", "peer=%s reason=\"%s\"", peer,
              tls_transport_error(&conn->transport));
    connection_abort(conn, CONNECTION_END_HANDSHAKE_FAILED);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct connection *conn = io->data;

    (void)loop;
    if (UNLIKELY(events & EV_ERROR)) {
        connection_abort(conn, CONNECTION_END_MEMORY);
        return;
    }
    if (conn->phase == CONNECTION_HANDSHAKE) {
        registry_handshake_due(conn->registry, conn);
        return;
    }
    if (events & EV_READ)
        connection_read(conn);
    if (conn->phase == CONNECTION_OPEN && (events & EV_READ) && !ev_is_active(&conn->pause))
        registry_again(conn->registry, conn);
    if (conn->phase != CONNECTION_CLOSED)
        connection_settle(conn);
}

bool connection_is_stranger(const struct connection *conn)
{
    return !conn->session && !conn->events && !conn->waiting &&
           (conn->phase == CONNECTION_HANDSHAKE || conn->phase == CONNECTION_OPEN);
}

/* What it said waits for its turn, so it may be neither idle nor late. Once: bytes without end are no excuse. */
static bool put_off(struct connection *conn)
{
    if (list_empty(&conn->due) || conn->excused)
        return false;
    conn->excused = true;
    set_deadline(conn, TURN_MS);
    return true;
}

/* Nobody keeps a place without a word. */
static void check_idle(struct connection *conn)
{
    const struct settings *s = conn->control->settings;
    uint64_t now_ms = clock_ms(), due_ms = now_ms + s->registry_idle_ms;

    if (!conn->authorized)
        due_ms = conn->opened_ms + s->registry_auth_ms;
    else if (connection_is_stranger(conn))
        due_ms = conn->spoke_ms + s->registry_idle_ms;
    if (now_ms < due_ms)
        set_deadline(conn, due_ms - now_ms);
    else if (!conn->authorized)
        connection_dismiss(conn, CONNECTION_END_UNAUTHORIZED, "no AUTH in time: timeouts.registry_auth");
    else
        connection_dismiss(conn, CONNECTION_END_IDLE, "idle for too long: timeouts.registry_idle");
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct connection *conn = timer->data;

    (void)events;
    if (late_put_off(loop, timer) || put_off(conn))
        return;
    conn->excused = false;
    if (conn->phase == CONNECTION_OPEN) {
        check_idle(conn);
        return;
    }
    conn->control->counts.handshakes_failed += conn->phase == CONNECTION_HANDSHAKE;
    connection_abort(conn, conn->phase == CONNECTION_HANDSHAKE ? CONNECTION_END_HANDSHAKE_SLOW
                                                               : CONNECTION_END_CLOSED);
}

static void on_pause_ended(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct connection *conn = timer->data;

    (void)loop;
    (void)events;
    registry_again(conn->registry, conn);
}

struct connection *connection_new(struct control *c, struct registry *r, uint64_t serial,
                                  const struct transport *transport, bool handshake, const struct address *peer)
{
    struct connection *conn = need_zeroed(1, sizeof(*conn));

    ASSERT_CONTROL();
    list_init(&conn->link);
    list_init(&conn->due);
    conn->control = c;
    conn->registry = r;
    conn->serial = serial;
    conn->transport = *transport;
    conn->phase = CONNECTION_HANDSHAKE;
    conn->last = CONNECTION_END_DONE;
    conn->peer = *peer;
    conn->authorized = !c->settings->registry_token;
    conn->opened_ms = conn->spoke_ms = clock_ms();
    ev_init(&conn->io, on_io);
    ev_init(&conn->deadline, on_deadline);
    late_init(&conn->deadline);
    ev_init(&conn->pause, on_pause_ended);
    conn->io.data = conn->deadline.data = conn->pause.data = conn;
    if (handshake)
        set_deadline(conn, c->settings->registry_handshake_ms);
    else
        set_phase(conn, CONNECTION_OPEN);
    update_io(conn);
    return conn;
}

void connection_free(struct connection *conn)
{
    ASSERT_CONTROL();
    CHECK(conn->phase == CONNECTION_CLOSED && !conn->session);
    list_remove(&conn->link);
    list_remove(&conn->due);
    tls_names_free(conn->certificate);
    free(conn->in.data);
    free(conn->out);
    free(conn);
}
