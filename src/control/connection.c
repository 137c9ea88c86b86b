#include "control/connection.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "control/control.h"
#include "control/line.h"
#include "control/registry.h"
#include "script/vm.h"
#include "tls/registry_context.h"
#include "tls/tls_transport.h"

#include <stdlib.h>

enum {
    IN_SMALL = 2048,                  /* first size of the input buffer */
    IN_LARGE = REGISTRY_LINE_MAX + 2, /* the longest line with its "\r\n" */
    OUT_KEPT = 4096,                  /* an empty output buffer up to this size is kept */
    TURN_LINES = 64,                  /* lines run a loop turn */
    TURN_MS = 5,                      /* time after which the rest waits for the next turn */
    LINGER_MS = 2000                  /* longest wait for the client's end when closing */
};

/* Data or end of input? */
static bool wants_input(const struct connection *conn)
{
    if (conn->phase == CONNECTION_CLOSING)
        return !conn->eof;
    return !conn->eof && (!conn->in.data || buf_len(&conn->in) < IN_LARGE);
}

static bool has_output(const struct connection *conn)
{
    return conn->out_len || conn->transport.unsent;
}

static void update_io(struct connection *conn)
{
    int events = 0;

    if (conn->phase != CONNECTION_CLOSED) {
        events |= wants_input(conn) ? EV_READ : 0;
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

static void set_phase(struct connection *conn, enum connection_phase phase)
{
    CHECK(phase > conn->phase);
    conn->phase = phase;
    if (phase == CONNECTION_OPEN) {
        ev_timer_stop(conn->control->loop, &conn->linger);
        return;
    }
    if (phase == CONNECTION_CLOSING) {
        ev_timer_set(&conn->linger, LINGER_MS / 1000.0, 0.);
        ev_timer_start(conn->control->loop, &conn->linger);
        return;
    }
    ev_timer_stop(conn->control->loop, &conn->linger);
    update_io(conn);
    transport_close(&conn->transport, false);
    registry_retire(conn->registry, conn);
}

void connection_abort(struct connection *conn, const char *reason)
{
    struct session *s = conn->session;
    char peer[ADDRESS_TEXT_SIZE];

    ASSERT_CONTROL();
    if (conn->phase == CONNECTION_CLOSED)
        return;
    address_format(&conn->peer, peer);
    log_write(LOG_DEBUG, "[registry-v2] Connection closed", "peer=%s reason=\"%s\"", peer, reason);
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
            connection_abort(conn, "send failed");
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

/* Sends, ends what is to end, and waits for the rest. */
static void settle(struct connection *conn)
{
    if (conn->phase == CONNECTION_HANDSHAKE)
        return;
    flush(conn);
    if (conn->phase == CONNECTION_CLOSING && !has_output(conn)) {
        if (conn->eof) {
            connection_abort(conn, "done");
            return;
        }
        /* The client's end is waited for, as what it still sends would destroy what it has not
         * read. */
        transport_shutdown(&conn->transport);
    }
    if (conn->phase != CONNECTION_CLOSED)
        update_io(conn);
}

/* Room for len more bytes of output; false when the client leaves too much unread, or there is no memory. By the
 * limit a single line always fits behind an empty queue. */
static bool make_room(struct connection *conn, size_t len)
{
    size_t limit = conn->control->settings->registry_output, cap;
    char *grown;

    if (conn->out_len && conn->out_len + len > limit)
        flush(conn);
    if (conn->phase == CONNECTION_CLOSED || (conn->out_len && conn->out_len + len > limit))
        return false;
    if (conn->out_start + conn->out_len + len <= conn->out_cap)
        return true;
    if (conn->out_start)
        memmove(conn->out, conn->out + conn->out_start, conn->out_len);
    conn->out_start = 0;
    for (cap = conn->out_cap ? conn->out_cap : 512; cap < conn->out_len + len;)
        cap *= 2;
    grown = realloc(conn->out, cap);
    if (!grown)
        return false;
    conn->out = grown;
    conn->out_cap = cap;
    return true;
}

void connection_send(struct connection *conn, struct slice line)
{
    char *at;

    ASSERT_CONTROL();
    if (conn->phase == CONNECTION_CLOSED || conn->phase == CONNECTION_HANDSHAKE)
        return;
    if (!make_room(conn, line.len + 1)) {
        log_write(LOG_WARN, "[registry-v2] Connection closed, no room for its output",
                  "queued=%zu limit=%zu", conn->out_len, (size_t)conn->control->settings->registry_output);
        connection_abort(conn, "output limit");
        return;
    }
    at = conn->out + conn->out_start + conn->out_len;
    memcpy(at, line.data, line.len);
    at[line.len] = '\n';
    conn->out_len += line.len + 1;
    if (!conn->running)
        settle(conn);
}

static void send_error(struct connection *conn, const char *reason)
{
    char line[64];
    int len = snprintf(line, sizeof(line), "ERROR|%s", reason);

    connection_send(conn, slice_of(line, (size_t)len));
}

/* Runs one complete line, without its line end. */
static void run_line(struct connection *conn, struct slice line)
{
    struct slice answer;
    const char *wrong;

    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    if (line.len == 0)
        return;
    if (line.len > REGISTRY_LINE_MAX) {
        send_error(conn, "line too long");
        return;
    }
    if (!need_whole()) {
        send_error(conn, "out of memory");
        return;
    }
    wrong = line_check(line);
    if (wrong) {
        send_error(conn, wrong);
        return;
    }
    if (!vm_run_line(conn->control->vm, conn, line, &answer))
        conn->waiting = true;
    else if (answer.data)
        connection_send(conn, answer);
}

/* Takes the next line or part of a line that is too long off the input; false when there is none.
 */
static bool take_line(struct connection *conn)
{
    struct slice in = slice_of(conn->in.data ? buf_head(&conn->in) : "", buf_len(&conn->in));
    const char *end = in.len ? memchr(in.data, '\n', in.len) : NULL;

    if (!end && in.len < (conn->skipping ? 1 : IN_LARGE))
        return false;
    if (!end) {
        if (!conn->skipping)
            send_error(conn, "line too long");
        conn->skipping = true;
        buf_consume(&conn->in, in.len);
        return true;
    }
    if (!conn->skipping)
        run_line(conn, slice_of(in.data, (size_t)(end - in.data)));
    conn->skipping = false;
    buf_consume(&conn->in, (size_t)(end - in.data) + 1);
    return true;
}

void connection_run(struct connection *conn)
{
    uint64_t until = clock_ms() + TURN_MS;
    bool more = true;

    ASSERT_CONTROL();
    CHECK(!conn->running);
    conn->running = true;
    for (int i = 0; i < TURN_LINES && more && clock_ms() <= until; i++)
        more = conn->phase == CONNECTION_OPEN && !conn->waiting && take_line(conn);
    conn->running = false;
    if (conn->phase == CONNECTION_CLOSED)
        return;
    if (more)
        registry_again(conn->registry, conn);
    else if (conn->eof && !conn->waiting && conn->phase == CONNECTION_OPEN)
        set_phase(conn, CONNECTION_CLOSING);
    if (conn->in.data && buf_len(&conn->in) == 0) {
        free(conn->in.data);
        conn->in = (struct buf){0};
    }
    settle(conn);
}

void connection_close(struct connection *conn)
{
    ASSERT_CONTROL();
    if (conn->phase != CONNECTION_OPEN)
        return;
    set_phase(conn, CONNECTION_CLOSING);
    if (!conn->running)
        settle(conn);
}

/* Room to read into: first a small block, then one for the longest line. */
static bool make_input_room(struct connection *conn)
{
    uint32_t cap = conn->in.data ? IN_LARGE : IN_SMALL;
    char *grown;

    if (conn->in.data)
        buf_compact(&conn->in);
    if (conn->in.data && buf_room(&conn->in))
        return true;
    grown = realloc(conn->in.data, cap);
    if (!grown)
        return false;
    conn->in.data = grown;
    conn->in.cap = cap;
    return true;
}

/* Reads once, to the tail of the input; what comes while closing is thrown away. */
static void read_input(struct connection *conn)
{
    size_t n;

    if (conn->phase == CONNECTION_CLOSING && conn->in.data)
        conn->in.start = conn->in.end = 0;
    if (!make_input_room(conn)) {
        connection_abort(conn, "out of memory");
        return;
    }
    switch (transport_read(&conn->transport, buf_tail(&conn->in), buf_room(&conn->in), &n)) {
    case IO_OK:
        if (conn->phase == CONNECTION_OPEN)
            conn->in.end += (uint32_t)n;
        break;
    case IO_AGAIN:
        break;
    case IO_EOF:
        conn->eof = true;
        break;
    case IO_ERROR:
        /* Cut or ended without close_notify: what came before are whole lines, which count as over TCP. */
        if (tls_transport_failure(&conn->transport) == TLS_FAILURE_CLOSED)
            conn->eof = true;
        else
            connection_abort(conn, "connection reset");
        break;
    }
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

static void shake_hands(struct connection *conn)
{
    char peer[ADDRESS_TEXT_SIZE];

    switch (transport_handshake(&conn->transport)) {
    case IO_OK:
        begin(conn);
        return;
    case IO_AGAIN:
        update_io(conn);
        return;
    default:
        break;
    }
    address_format(&conn->peer, peer);
    log_write(LOG_INFO, "[registry-v2] TLS handshake failed", "peer=%s reason=\"%s\"", peer,
              tls_transport_error(&conn->transport));
    connection_abort(conn, "TLS handshake failed");
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct connection *conn = io->data;

    (void)loop;
    if (conn->phase == CONNECTION_HANDSHAKE) {
        shake_hands(conn);
        return;
    }
    if (events & EV_READ)
        read_input(conn);
    if (conn->phase == CONNECTION_OPEN && (events & EV_READ) && list_empty(&conn->again))
        connection_run(conn);
    else if (conn->phase != CONNECTION_CLOSED)
        settle(conn);
}

static void on_linger(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct connection *conn = timer->data;

    (void)loop;
    (void)events;
    connection_abort(conn, conn->phase == CONNECTION_HANDSHAKE ? "TLS handshake too slow" : "closed");
}

static void await_handshake(struct connection *conn)
{
    conn->phase = CONNECTION_HANDSHAKE;
    ev_timer_set(&conn->linger, (double)conn->control->settings->registry_handshake_ms / 1000.0, 0.);
    ev_timer_start(conn->control->loop, &conn->linger);
}

struct connection *connection_new(struct control *c, struct registry *r, uint64_t serial,
                                  const struct transport *transport, bool handshake, const struct address *peer)
{
    struct connection *conn = need_zeroed(1, sizeof(*conn));

    ASSERT_CONTROL();
    list_init(&conn->link);
    list_init(&conn->again);
    conn->control = c;
    conn->registry = r;
    conn->serial = serial;
    conn->transport = *transport;
    conn->phase = CONNECTION_OPEN;
    conn->peer = *peer;
    conn->authorized = !c->settings->registry_token;
    ev_init(&conn->io, on_io);
    ev_init(&conn->linger, on_linger);
    conn->io.data = conn->linger.data = conn;
    if (handshake)
        await_handshake(conn);
    update_io(conn);
    return conn;
}

void connection_free(struct connection *conn)
{
    ASSERT_CONTROL();
    CHECK(conn->phase == CONNECTION_CLOSED && !conn->session);
    list_remove(&conn->link);
    list_remove(&conn->again);
    tls_names_free(conn->certificate);
    free(conn->in.data);
    free(conn->out);
    free(conn);
}
