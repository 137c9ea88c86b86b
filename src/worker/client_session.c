#include "worker/client_session.h"

#include "base/log.h"
#include "worker/client.h"
#include "worker/h2_client.h"
#include "worker/h2_session.h"

#include <stdlib.h>

/* What its deadline is for. */
enum wait { WAIT_NONE, WAIT_IDLE, WAIT_HEAD, WAIT_SEND };

struct client_session {
    struct retired retired; /* first */
    struct h2_session h2;
    struct client *client;
    enum wait wait;
    int32_t heading;    /* the stream whose head it waits for */
    uint64_t idle_from; /* streams so far, when it became idle */
};

bool client_session_is_preface(struct slice received)
{
    static const char PREFACE[CLIENT_SESSION_PREFACE + 1] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    size_t len = received.len < CLIENT_SESSION_PREFACE ? received.len : CLIENT_SESSION_PREFACE;

    return memcmp(received.data, PREFACE, len) == 0;
}

static struct client_session *of(struct h2_session *h2)
{
    return CONTAINER_OF(h2, struct client_session, h2);
}

void client_session_drop(struct client *c)
{
    struct client_session *cs = c->session;

    h2_session_break_streams(&cs->h2);
    h2_session_close(&cs->h2);
    c->session = NULL;
    worker_retire(c->conn.worker, &cs->retired);
}

/* GOAWAY is on its way, or cannot be. */
static void end(struct client_session *cs)
{
    struct client *c = cs->client;
    enum close_reason reason = cs->h2.over == CLOSE_CLIENT_LAST && c->ends ? c->ends : cs->h2.over;
    char peer[ADDRESS_TEXT_SIZE];

    if (reason == CLOSE_CLIENT_FLOODS || reason == CLOSE_CLIENT_PROTOCOL)
        log_write(LOG_INFO, "session refused", "client=%.*s reason=\"%s\" streams=%llu",
                  (int)address_format(&c->peer, peer), peer, close_reason_text(reason),
                  (unsigned long long)cs->h2.stream_total);
    client_session_drop(c);
    if (conn_has_unsent(&c->conn))
        conn_flush(&c->conn);
    if (conn_has_unsent(&c->conn))
        client_close(c, reason);
    else
        client_linger(c, reason);
}

static void set_deadline(struct client_session *cs)
{
    struct client *c = cs->client;
    struct worker *w = c->conn.worker;
    const struct settings *settings = worker_settings(w);
    const struct h2_session *h2 = &cs->h2;
    enum wait wait = c->conn.blocked       ? WAIT_SEND
                     : h2->heading         ? WAIT_HEAD
                     : h2->stream_count == 0 ? WAIT_IDLE
                                             : WAIT_NONE;

    if (wait == cs->wait && (wait != WAIT_HEAD || cs->heading == h2->heading) &&
        (wait != WAIT_IDLE || cs->idle_from == h2->stream_total))
        return;
    if ((wait == WAIT_IDLE) != (cs->wait == WAIT_IDLE) || wait == WAIT_IDLE) {
        c->since_ms = w->now_ms;
        list_remove(&c->link);
        list_push_back(wait == WAIT_IDLE ? &w->idle_sessions : &w->sessions, &c->link);
    }
    cs->wait = wait;
    cs->heading = h2->heading;
    cs->idle_from = h2->stream_total;
    conn_deadline(&c->conn, wait == WAIT_SEND   ? settings->send_timeout_ms
                            : wait == WAIT_HEAD ? settings->head_timeout_ms
                            : wait == WAIT_IDLE ? settings->keep_alive_timeout_ms
                                                : 0);
}

/* Requests that it sends before it has seen the notice are served, too. */
static void leave_if_used_up(struct client_session *cs)
{
    struct client *c = cs->client;

    if (cs->h2.leave != H2_STAYS || cs->h2.over)
        return;
    c->ends = client_used_up(c, cs->h2.stream_total);
    if (UNLIKELY(c->ends))
        h2_session_leave(&cs->h2);
}

static void settled(struct h2_session *h2)
{
    struct client_session *cs = of(h2);

    leave_if_used_up(cs);
    if (!h2->over && h2->leave == H2_LEFT && !h2->stream_count)
        h2->over = cs->client->conn.worker->stopping ? CLOSE_SHUTDOWN : CLOSE_CLIENT_LAST;
    if (h2->over)
        end(cs);
    else
        set_deadline(cs);
}

static struct h2_stream *accept_stream(struct h2_session *h2, int32_t id, struct h2_fields *fields, bool ends)
{
    return h2_client_open(of(h2)->client, h2, id, fields, ends);
}

static const struct h2_owner owner = {accept_stream, settled};

void client_session_start(struct client *c)
{
    struct worker *w = c->conn.worker;
    struct client_session *cs = calloc(1, sizeof(*cs));

    if (!cs || !h2_session_open(&cs->h2, &c->conn, H2_SERVER, &owner)) {
        free(cs);
        client_close(c, CLOSE_NO_MEMORY);
        return;
    }
    cs->client = c;
    c->session = cs;
    client_set_phase(c, CLIENT_SESSION);
    COUNTER_ADD(w->sessions_started, 1);
    conn_update_io(&c->conn);
    if (buf_len(&c->conn.in))
        h2_session_input(&cs->h2);
    set_deadline(cs);
    if (w->stopping)
        h2_session_leave(&cs->h2);
}

void client_session_event(struct client *c, int events)
{
    struct client_session *cs = c->session;

    if (events & EV_WRITE) {
        c->conn.blocked = false;
        cs->wait = WAIT_NONE; /* something was taken: the time counts anew */
        conn_flush(&c->conn);
        conn_update_io(&c->conn);
        h2_session_touch(&cs->h2);
    }
    if (!(events & EV_READ))
        return;
    switch (conn_read(&c->conn)) {
    case IO_OK:
        h2_session_input(&cs->h2);
        return;
    case IO_AGAIN:
        return;
    case IO_EOF:
        client_close(c, cs->h2.stream_count ? CLOSE_CLIENT_GONE : CLOSE_CLIENT_DONE);
        return;
    case IO_ERROR:
        client_close(c, CLOSE_CLIENT_ERROR);
        return;
    }
}

void client_session_late(struct client *c)
{
    struct client_session *cs = c->session;

    if (cs->wait == WAIT_SEND) {
        client_close(c, CLOSE_CLIENT_SLOW);
        return;
    }
    h2_session_fail(&cs->h2, cs->wait == WAIT_HEAD ? CLOSE_CLIENT_SLOW : CLOSE_CLIENT_IDLE, 0);
}

void client_session_stop(struct client *c)
{
    h2_session_leave(&c->session->h2);
}

bool client_session_make_room(struct client *c)
{
    struct h2_session *h2 = &c->session->h2;

    if (h2->stream_count || h2->heading || h2->over)
        return false;
    h2_session_say_goodbye(h2, 0);
    conn_flush(&c->conn);
    client_close(c, CLOSE_MADE_ROOM);
    return true;
}
