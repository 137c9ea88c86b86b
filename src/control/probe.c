#include "control/probe.h"

#include "base/clock.h"
#include "base/late.h"
#include "base/need.h"
#include "base/sock.h"
#include "base/transport.h"
#include "control/control.h"
#include "control/probe_h2.h"
#include "control/probe_places.h"
#include "control/probe_target.h"
#include "control/resolve.h"
#include "http/parse.h"
#include "tls/client_context.h"
#include "tls/tls_transport.h"

#include <errno.h>
#include <stdlib.h>

enum { HEAD_MAX = 16 * 1024 };

/* A step looks at what is there and returns what to wait for. */
enum wait { WAIT_NOTHING, WAIT_READ, WAIT_WRITE, WAIT_ENDED };

struct probe {
    struct probe_target *target;
    struct control *control;
    struct probe_turn turn; /* its place among those that run */
    bool owns_target;
    void (*done)(void *arg, const struct probe_result *result);
    void *arg;
    struct probe_result result;
    uint64_t started_us, timeout_ms;
    ev_timer at_once;  /* ended inside the call that starts it: done is called in the next turn */
    ev_timer deadline; /* the whole probe's */
    struct resolve_wait *resolving;
    unsigned tried; /* addresses so far */
    /* the connection */
    struct transport transport;
    ev_io io;
    struct probe_h2 *h2; /* for a backend that is spoken to with HTTP/2, else NULL */
    enum wait (*step)(struct probe *p);
    size_t sent;
    char *head; /* what was received of an answer that came in pieces, else NULL */
    size_t received;
    struct http_scan scan;
};

/* An answer is read into this first: nearly all of them come in one piece, and are done with then.
 */
static char first_piece[HEAD_MAX];

const char *probe_cause_token(enum probe_cause cause)
{
    static const char *const tokens[] = {
#define CAUSE_TOKEN(id, token) [PROBE_##id] = (token),
        PROBE_CAUSES(CAUSE_TOKEN)
#undef CAUSE_TOKEN
    };

    return tokens[cause];
}

static enum wait step_connected(struct probe *p);
static enum wait step_handshake(struct probe *p);
static enum wait step_send(struct probe *p);
static enum wait step_receive(struct probe *p);
static enum wait step_h2(struct probe *p);

static void close_connection(struct probe *p)
{
    ev_io_stop(p->control->loop, &p->io);
    probe_h2_free(p->h2);
    p->h2 = NULL;
    if (p->transport.open)
        transport_close(&p->transport, false);
}

static void probe_free(struct probe *p)
{
    close_connection(p);
    ev_timer_stop(p->control->loop, &p->at_once);
    ev_timer_stop(p->control->loop, &p->deadline);
    if (p->resolving)
        resolve_cancel(p->resolving);
    if (p->owns_target)
        probe_target_free(p->target);
    probe_places_leave(&p->control->probe_places, &p->turn);
    free(p->head);
    free(p);
}

static void finish(struct probe *p)
{
    p->result.elapsed_ms = (clock_us() - p->started_us) / 1000;
    p->done(p->arg, &p->result);
    probe_free(p);
}

static void set_error(struct probe *p, enum probe_cause cause, const char *what, const char *why)
{
    p->result.cause = cause;
    snprintf(p->result.error, sizeof(p->result.error), "%s%s%s", what, why ? ": " : "",
             why ? why : "");
}

/* The address that is tried next; false when there is none left. */
static bool next_address(struct probe *p, struct address *out)
{
    const struct url *url = &p->target->url;
    const struct address *all;
    unsigned count;

    if (!p->target->name)
        return p->tried++ == 0 && address_parse_ip(url->host, url->port, out) == 0;
    all = resolve_addresses(p->target->name, &count);
    if (p->tried >= count)
        return false;
    *out = all[p->tried++];
    if (out->any.sa_family == AF_INET6)
        out->v6.sin6_port = htons(url->port);
    else
        out->v4.sin_port = htons(url->port);
    return true;
}

static void connect_failed(struct probe *p, int error)
{
    switch (error) {
    case -ECONNREFUSED:
        set_error(p, PROBE_CONNECTION_REFUSED, "connection refused", NULL);
        break;
    case -ETIMEDOUT:
        set_error(p, PROBE_CONNECTION_TIMEOUT, "connection timed out", NULL);
        break;
    case -ENETUNREACH:
    case -EHOSTUNREACH:
        set_error(p, PROBE_CONNECTION_FAILED, "host not reachable", NULL);
        break;
    case -ECONNRESET:
        set_error(p, PROBE_CONNECTION_FAILED, "connection reset", NULL);
        break;
    default:
        set_error(p, PROBE_CONNECTION_FAILED, strerror(-error), NULL);
    }
}

static bool open_transport(struct probe *p, int fd)
{
    const struct probe_target *t = p->target;
    struct tls_peer peer = {t->tls_name, t->tls_name_is_ip};

    if (t->tls)
        return tls_client_open(probe_target_tls(t), &p->transport, fd, &peer, NULL);
    transport_open_tcp(&p->transport, fd);
    return true;
}

/* Tries addresses until one connects or has to be waited for. */
static enum wait connect_next(struct probe *p)
{
    struct address to;
    bool pending;

    close_connection(p);
    while (next_address(p, &to)) {
        int fd = sock_connect(&to, &pending);

        if (fd < 0) {
            connect_failed(p, fd);
            continue;
        }
        if (!open_transport(p, fd)) {
            sock_close_reset(fd);
            set_error(p, PROBE_TLS_FAILED, "TLS cannot be used for this host", NULL);
            continue;
        }
        p->sent = p->received = 0;
        p->scan = (struct http_scan){0};
        p->step = step_connected;
        return pending ? WAIT_WRITE : WAIT_NOTHING;
    }
    return WAIT_ENDED;
}

/* What comes once bytes can pass. */
static enum wait ask(struct probe *p)
{
    p->step = step_send;
    if (!url_is_http2(&p->target->url))
        return WAIT_NOTHING;
    if (p->target->tls && !slice_eq(tls_transport_protocol(&p->transport), SLICE("h2"))) {
        set_error(p, PROBE_BAD_ANSWER, "no HTTP/2: ALPN did not choose it", NULL);
        return WAIT_ENDED;
    }
    p->h2 = probe_h2_new(&p->target->url);
    if (!p->h2) {
        set_error(p, PROBE_CONNECTION_FAILED, "out of memory", NULL);
        return WAIT_ENDED;
    }
    p->step = step_h2;
    return WAIT_NOTHING;
}

static enum wait step_connected(struct probe *p)
{
    int error = sock_error(p->transport.fd);

    if (error) {
        connect_failed(p, error);
        return connect_next(p);
    }
    p->result.error[0] = '\0';
    if (!p->result.tls)
        return ask(p);
    p->step = step_handshake;
    return WAIT_NOTHING;
}

static enum wait wait_for_io(const struct probe *p, enum wait usual)
{
    return p->transport.wants_write ? WAIT_WRITE : p->transport.wants_read ? WAIT_READ : usual;
}

static enum wait handshake_failed(struct probe *p)
{
    const char *why = tls_transport_error(&p->transport);

    if (tls_transport_failure(&p->transport) == TLS_FAILURE_CERTIFICATE)
        set_error(p, PROBE_TLS_CERTIFICATE, "certificate not valid", why);
    else
        set_error(p, PROBE_TLS_FAILED, "TLS handshake failed", why);
    return WAIT_ENDED;
}

static enum wait step_handshake(struct probe *p)
{
    const char *why;

    switch (transport_handshake(&p->transport)) {
    case IO_OK:
        p->result.tls_valid = tls_transport_verified(&p->transport, &why);
        if (!p->result.tls_valid)
            set_error(p, PROBE_ANSWERED, "certificate not valid", why);
        return ask(p);
    case IO_AGAIN:
        return wait_for_io(p, WAIT_READ);
    case IO_EOF:
    case IO_ERROR:
        break;
    }
    return handshake_failed(p);
}

static enum wait broken(struct probe *p, enum probe_cause cause, const char *why)
{
    set_error(p, cause, why, NULL);
    return WAIT_ENDED;
}

/* Nothing was moved for another reason than that it has to be waited for. */
static enum wait no_answer(struct probe *p, enum io io)
{
    const char *why = tls_transport_error(&p->transport);

    if (tls_transport_failure(&p->transport) == TLS_FAILURE_ALERT) {
        set_error(p, PROBE_TLS_FAILED, "TLS connection refused", why);
        return WAIT_ENDED;
    }
    return broken(p, PROBE_CONNECTION_FAILED,
                  io == IO_EOF || tls_transport_failure(&p->transport) == TLS_FAILURE_CLOSED
                      ? "connection closed before an answer"
                      : "connection broken before an answer");
}

static enum wait step_send(struct probe *p)
{
    const struct probe_target *t = p->target;
    struct iovec rest = {t->request + p->sent, t->request_len - p->sent};
    size_t n;

    switch (transport_write(&p->transport, &rest, rest.iov_len ? 1 : 0, &n)) {
    case IO_OK:
        break;
    case IO_AGAIN:
        return wait_for_io(p, WAIT_WRITE);
    default:
        return no_answer(p, IO_ERROR);
    }
    p->sent += n;
    if (p->sent < t->request_len)
        return WAIT_NOTHING;
    if (p->transport.unsent)
        return WAIT_WRITE;
    p->step = step_receive;
    return p->result.tls ? WAIT_NOTHING : WAIT_READ; /* the answer is never there yet */
}

/* More has to come: what is there is kept until then. */
static enum wait keep_piece(struct probe *p)
{
    if (p->received == HEAD_MAX)
        return broken(p, PROBE_BAD_ANSWER, "head of the answer too big");
    if (!p->head) {
        p->head = need(HEAD_MAX);
        memcpy(p->head, first_piece, p->received);
    }
    return WAIT_NOTHING;
}

static enum wait answered(struct probe *p, int status)
{
    p->result.reachable = true;
    p->result.cause = PROBE_ANSWERED;
    p->result.status = status;
    return WAIT_ENDED;
}

/* Looks for a complete final head in what was received. */
static enum wait parse_answer(struct probe *p, char *text)
{
    static const struct http_limits limits = {HEAD_MAX, HTTP_FIELDS_MAX, 0};
    struct http_head head;
    const char *error = "";
    size_t used;

    for (;;) {
        enum parse parse = http_parse_response(&head, METHOD_GET, text, p->received, &p->scan,
                                               &limits, &used, &error);

        if (parse == PARSE_MORE)
            return keep_piece(p);
        if (parse != PARSE_DONE) {
            set_error(p, PROBE_BAD_ANSWER, "not an HTTP answer", error);
            return WAIT_ENDED;
        }
        if (head.status >= 200 || head.status == 101)
            break;
        p->received -= used;
        memmove(text, text + used, p->received);
        p->scan = (struct http_scan){0};
    }
    return answered(p, head.status);
}

static enum wait step_receive(struct probe *p)
{
    char *text = p->head ? p->head : first_piece;
    size_t n;
    enum io io = transport_read(&p->transport, text + p->received, HEAD_MAX - p->received, &n);

    if (io == IO_AGAIN)
        return wait_for_io(p, WAIT_READ);
    if (io != IO_OK)
        return no_answer(p, io);
    p->received += n;
    return parse_answer(p, text);
}

static enum wait send_h2(struct probe *p, struct slice out)
{
    struct iovec rest = {(char *)out.data, out.len};
    size_t n;

    switch (transport_write(&p->transport, &rest, out.len ? 1 : 0, &n)) {
    case IO_OK:
        probe_h2_sent(p->h2, n);
        return p->transport.unsent ? WAIT_WRITE : WAIT_NOTHING;
    case IO_AGAIN:
        return wait_for_io(p, WAIT_WRITE);
    default:
        return no_answer(p, IO_ERROR);
    }
}

static enum wait step_h2(struct probe *p)
{
    struct slice out = probe_h2_unsent(p->h2);
    const char *error;
    int status;
    size_t n;
    enum io io;

    if (!out.data) {
        set_error(p, PROBE_CONNECTION_FAILED, "out of memory", NULL);
        return WAIT_ENDED;
    }
    if (out.len || p->transport.unsent)
        return send_h2(p, out);
    io = transport_read(&p->transport, first_piece, HEAD_MAX, &n);
    if (io == IO_AGAIN)
        return wait_for_io(p, WAIT_READ);
    if (io != IO_OK)
        return no_answer(p, io);
    switch (probe_h2_received(p->h2, slice_of(first_piece, n), &status, &error)) {
    case PROBE_H2_MORE:
        return WAIT_NOTHING;
    case PROBE_H2_ANSWERED:
        return answered(p, status);
    case PROBE_H2_BAD:
        break;
    }
    return broken(p, PROBE_BAD_ANSWER, error);
}

/* Goes on until something has to be waited for. */
static enum wait go_on(struct probe *p, enum wait wait)
{
    while (wait == WAIT_NOTHING)
        wait = p->step(p);
    ev_io_stop(p->control->loop, &p->io);
    if (wait == WAIT_ENDED)
        return wait;
    ev_io_set(&p->io, p->transport.fd, wait == WAIT_READ ? EV_READ : EV_WRITE);
    ev_io_start(p->control->loop, &p->io);
    return wait;
}

static void run(struct probe *p, enum wait wait)
{
    if (go_on(p, wait) == WAIT_ENDED)
        finish(p);
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
    struct probe *p = w->data;

    (void)loop;
    if (LIKELY(!(revents & EV_ERROR))) {
        run(p, WAIT_NOTHING);
        return;
    }
    connect_failed(p, -ENOMEM); /* its descriptor cannot be watched */
    run(p, connect_next(p));
}

/* The name is known, if there is one. */
static enum wait connect_first(struct probe *p)
{
    const struct resolved *name = p->target->name;
    unsigned count = 1;

    if (name)
        (void)resolve_addresses(name, &count);
    if (count == 0)
        set_error(p, PROBE_NAME_NOT_RESOLVED, "name not resolved", resolve_status(name));
    return connect_next(p);
}

static void on_resolved(void *arg)
{
    struct probe *p = arg;

    p->resolving = NULL;
    run(p, connect_first(p));
}

static void on_at_once(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop;
    (void)revents;
    finish(w->data);
}

static void begin(struct probe *p)
{
    struct resolved *name = p->target->name;

    if (name && !resolve_known(name))
        p->resolving = resolve_wait(p->control, name, on_resolved, p);
    else if (go_on(p, connect_first(p)) == WAIT_ENDED)
        ev_timer_start(p->control->loop, &p->at_once);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct probe *p = w->data;

    (void)revents;
    if (late_put_off(loop, w))
        return;
    p->result.cause = p->resolving ? PROBE_NAME_NOT_RESOLVED : PROBE_CONNECTION_TIMEOUT;
    snprintf(p->result.error, sizeof(p->result.error), "timed out after %gs",
             (double)p->timeout_ms / 1e3);
    finish(p);
}

/* There is a place for it: its time begins. */
static void on_placed(struct probe_turn *turn)
{
    struct probe *p = CONTAINER_OF(turn, struct probe, turn);

    p->started_us = clock_us();
    ev_timer_start(p->control->loop, &p->deadline);
    begin(p);
}

static struct probe *start(struct probe_target *t, enum probe_lane lane, uint64_t timeout_ms,
                           void (*done)(void *arg, const struct probe_result *result), void *arg)
{
    struct probe *p = need_zeroed(1, sizeof(*p));

    ASSERT_CONTROL();
    p->target = t;
    p->control = t->control;
    p->done = done;
    p->arg = arg;
    p->timeout_ms = timeout_ms;
    p->result.tls = t->tls;
    ev_init(&p->io, on_io);
    ev_timer_init(&p->at_once, on_at_once, 0, 0);
    ev_timer_init(&p->deadline, on_deadline, (double)timeout_ms / 1e3, 0);
    late_init(&p->deadline);
    p->io.data = p->at_once.data = p->deadline.data = p;
    probe_places_take(&p->control->probe_places, &p->turn, lane, on_placed);
    return p;
}

struct probe *probe_run(struct probe_target *t, uint64_t timeout_ms,
                        void (*done)(void *arg, const struct probe_result *result), void *arg)
{
    return start(t, PROBE_LANE_HEALTH, timeout_ms, done, arg);
}

struct probe *probe_start(struct control *c, struct slice url, const struct backend_tls_choice *tls, uint64_t timeout_ms,
                          void (*done)(void *arg, const struct probe_result *result), void *arg,
                          struct error *err)
{
    struct probe_target *t = probe_target_new(c, url, tls, err);
    struct probe *p;

    if (!t)
        return NULL;
    p = start(t, PROBE_LANE_COMMANDS, timeout_ms, done, arg);
    p->owns_target = true;
    return p;
}

void probe_cancel(struct probe **p)
{
    ASSERT_CONTROL();
    if (*p)
        probe_free(*p);
    *p = NULL;
}
