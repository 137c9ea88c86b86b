#include "control/probe.h"

#include "base/clock.h"
#include "base/sock.h"
#include "control/control.h"
#include "control/probe_h2.h"
#include "control/probe_target.h"
#include "control/probe_tls.h"
#include "control/resolve.h"
#include "http/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEAD_MAX = 16 * 1024 };

/* A step looks at what is there and returns what to wait for. */
enum wait { WAIT_NOTHING, WAIT_READ, WAIT_WRITE, WAIT_ENDED };

struct probe {
    struct probe_target *target;
    struct control *control;
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
    int fd; /* -1: none */
    ev_io io;
    struct probe_tls *tls;
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
    probe_tls_free(p->tls);
    p->tls = NULL;
    probe_h2_free(p->h2);
    p->h2 = NULL;
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
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
        p->fd = fd;
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
    if (url_is_http2(&p->target->url)) {
        p->h2 = probe_h2_new(&p->target->url);
        p->step = step_h2;
    }
    return WAIT_NOTHING;
}

static enum wait step_connected(struct probe *p)
{
    int error = sock_error(p->fd);

    if (error) {
        connect_failed(p, error);
        return connect_next(p);
    }
    p->result.error[0] = '\0';
    if (!p->result.tls)
        return ask(p);
    p->tls = probe_tls_new(p->fd, p->target->url.host, p->target->url.host_is_ip);
    if (!p->tls) {
        set_error(p, PROBE_TLS_FAILED, "TLS cannot be used for this host", NULL);
        return WAIT_ENDED;
    }
    p->step = step_handshake;
    return WAIT_NOTHING;
}

static enum wait step_handshake(struct probe *p)
{
    const char *why;

    switch (probe_tls_handshake(p->tls)) {
    case PROBE_IO_OK:
        p->result.tls_valid = probe_tls_valid(p->tls, &why);
        if (!p->result.tls_valid)
            set_error(p, PROBE_ANSWERED, "certificate not valid", why);
        return ask(p);
    case PROBE_IO_WANT_READ:
        return WAIT_READ;
    case PROBE_IO_WANT_WRITE:
        return WAIT_WRITE;
    case PROBE_IO_EOF:
        set_error(p, PROBE_TLS_FAILED, "TLS handshake failed", "connection closed");
        return WAIT_ENDED;
    case PROBE_IO_ERROR:
        break;
    }
    set_error(p, PROBE_TLS_FAILED, "TLS handshake failed", probe_tls_error(p->tls));
    return WAIT_ENDED;
}

static enum probe_io read_or_write(struct probe *p, bool write, char *data, size_t len, size_t *n)
{
    ssize_t result;

    if (p->tls)
        return write ? probe_tls_write(p->tls, data, len, n) : probe_tls_read(p->tls, data, len, n);
    result = write ? send(p->fd, data, len, MSG_NOSIGNAL) : recv(p->fd, data, len, 0);
    *n = result > 0 ? (size_t)result : 0;
    if (result > 0)
        return PROBE_IO_OK;
    if (result == 0)
        return PROBE_IO_EOF;
    if (errno == EAGAIN || errno == EINTR)
        return write ? PROBE_IO_WANT_WRITE : PROBE_IO_WANT_READ;
    return PROBE_IO_ERROR;
}

static enum wait broken(struct probe *p, enum probe_cause cause, const char *why)
{
    set_error(p, cause, why, NULL);
    return WAIT_ENDED;
}

/* What to do about anything but success. */
static enum wait after_io(struct probe *p, enum probe_io io)
{
    switch (io) {
    case PROBE_IO_OK:
        return WAIT_NOTHING;
    case PROBE_IO_WANT_READ:
        return WAIT_READ;
    case PROBE_IO_WANT_WRITE:
        return WAIT_WRITE;
    case PROBE_IO_EOF:
        return broken(p, PROBE_CONNECTION_FAILED, "connection closed before an answer");
    case PROBE_IO_ERROR:
        break;
    }
    return broken(p, PROBE_CONNECTION_FAILED, "connection broken before an answer");
}

static enum wait step_send(struct probe *p)
{
    size_t n;
    const struct probe_target *t = p->target;
    enum probe_io io = read_or_write(p, true, t->request + p->sent, t->request_len - p->sent, &n);

    if (io != PROBE_IO_OK)
        return after_io(p, io);
    p->sent += n;
    if (p->sent < t->request_len)
        return WAIT_NOTHING;
    p->step = step_receive;
    return p->tls ? WAIT_NOTHING : WAIT_READ; /* the answer is never there yet */
}

/* More has to come: what is there is kept until then. */
static enum wait keep_piece(struct probe *p)
{
    if (p->received == HEAD_MAX)
        return broken(p, PROBE_BAD_ANSWER, "head of the answer too big");
    if (!p->head) {
        p->head = malloc(HEAD_MAX);
        CHECK(p->head);
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
    enum probe_io io = read_or_write(p, false, text + p->received, HEAD_MAX - p->received, &n);

    if (io != PROBE_IO_OK)
        return after_io(p, io);
    p->received += n;
    return parse_answer(p, text);
}

static enum wait step_h2(struct probe *p)
{
    struct slice out = probe_h2_unsent(p->h2);
    bool write = out.len > 0;
    const char *error;
    int status;
    size_t n;
    enum probe_io io = write ? read_or_write(p, true, (char *)out.data, out.len, &n)
                             : read_or_write(p, false, first_piece, HEAD_MAX, &n);

    if (io != PROBE_IO_OK)
        return after_io(p, io);
    if (write) {
        probe_h2_sent(p->h2, n);
        return WAIT_NOTHING;
    }
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
    ev_io_set(&p->io, p->fd, wait == WAIT_READ ? EV_READ : EV_WRITE);
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
    (void)loop;
    (void)revents;
    run(w->data, WAIT_NOTHING);
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

    (void)loop;
    (void)revents;
    p->result.cause = p->resolving ? PROBE_NAME_NOT_RESOLVED : PROBE_CONNECTION_TIMEOUT;
    snprintf(p->result.error, sizeof(p->result.error), "timed out after %gs",
             (double)p->timeout_ms / 1e3);
    finish(p);
}

struct probe *probe_run(struct probe_target *t, uint64_t timeout_ms,
                        void (*done)(void *arg, const struct probe_result *result), void *arg)
{
    struct ev_loop *loop = t->control->loop;
    struct probe *p = calloc(1, sizeof(*p));

    ASSERT_CONTROL();
    CHECK(p);
    p->target = t;
    p->control = t->control;
    p->done = done;
    p->arg = arg;
    p->fd = -1;
    p->timeout_ms = timeout_ms;
    p->started_us = clock_us();
    p->result.tls = t->tls;
    ev_init(&p->io, on_io);
    ev_timer_init(&p->at_once, on_at_once, 0, 0);
    ev_timer_init(&p->deadline, on_deadline, (double)timeout_ms / 1e3, 0);
    p->io.data = p->at_once.data = p->deadline.data = p;
    ev_timer_start(loop, &p->deadline);
    begin(p);
    return p;
}

struct probe *probe_start(struct control *c, struct slice url, uint64_t timeout_ms,
                          void (*done)(void *arg, const struct probe_result *result), void *arg,
                          struct error *err)
{
    struct probe_target *t = probe_target_new(c, url, err);
    struct probe *p;

    if (!t)
        return NULL;
    p = probe_run(t, timeout_ms, done, arg);
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
