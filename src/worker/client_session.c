#include "worker/client_session.h"

#include "base/log.h"
#include "guard/pace.h"
#include "worker/client.h"
#include "worker/h2_client.h"
#include "worker/h2_session.h"

#include <stdlib.h>

/* What its deadline is for. */
enum wait {
    WAIT_NONE,
    WAIT_IDLE,
    WAIT_HEAD,
    WAIT_SEND,  /* for the peer to take bytes */
    WAIT_WINDOW /* for the peer to open the session's window: only its rate counts, streams have time-outs of their own */
};

struct client_session {
    struct retired retired; /* first */
    struct h2_session h2;
    struct client *client;
    enum wait wait;
    bool listed_idle;   /* in the worker's list of idle sessions */
    int32_t heading;    /* the stream whose head it waits for */
    uint64_t idle_from; /* streams so far, when it became idle */
    struct pace taking; /* of what its streams send; worker/pacing.h says more */
    uint64_t late_ms;   /* when timeouts.send is over, while it waits to send */
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
    COUNTER_ADD(c->conn.worker->sessions_open, (uint64_t)-1);
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

/* Body bytes that the peer has, nearly. */
static uint64_t taken(const struct client_session *cs)
{
    const struct conn *c = &cs->client->conn;
    uint64_t on_its_way = c->sent - conn_delivered(c) + buf_len(&c->out);

    return cs->h2.body_sent > on_its_way ? cs->h2.body_sent - on_its_way : 0;
}

static struct pace_rules rules_of(const struct settings *settings)
{
    return (struct pace_rules){settings->send_rate, settings->rate_window_ms};
}

/* For timeouts.send, or the end of a window before that. */
static void arm_send(struct client_session *cs, const struct settings *settings)
{
    uint64_t now_ms = cs->client->conn.worker->now_ms, until_ms = cs->late_ms;
    struct pace_rules rules = rules_of(settings);
    uint64_t left = rules.rate ? pace_left(&cs->taking, &rules, now_ms) : UINT64_MAX;

    if (until_ms == UINT64_MAX && left == UINT64_MAX) {
        conn_deadline(&cs->client->conn, 0);
        return;
    }
    if (left != UINT64_MAX && now_ms + left < until_ms)
        until_ms = now_ms + left;
    conn_deadline(&cs->client->conn, until_ms > now_ms ? until_ms - now_ms : 1);
}

static enum wait waits_for(const struct client_session *cs)
{
    const struct h2_session *h2 = &cs->h2;

    if (cs->client->conn.blocked)
        return WAIT_SEND;
    if (h2_session_is_held_up(h2))
        return WAIT_WINDOW;
    if (h2->heading)
        return WAIT_HEAD;
    return h2->stream_count == 0 ? WAIT_IDLE : WAIT_NONE;
}

static void set_wait(struct client_session *cs, enum wait wait)
{
    struct client *c = cs->client;
    struct worker *w = c->conn.worker;

    if (wait == WAIT_IDLE || cs->listed_idle) {
        c->since_ms = w->now_ms;
        list_remove(&c->link);
        list_push_back(wait == WAIT_IDLE ? &w->idle_sessions : &w->sessions, &c->link);
        cs->listed_idle = wait == WAIT_IDLE;
    }
    cs->wait = wait;
    cs->heading = cs->h2.heading;
    cs->idle_from = cs->h2.stream_total;
}

static void set_deadline(struct client_session *cs)
{
    struct client *c = cs->client;
    struct worker *w = c->conn.worker;
    const struct settings *settings = worker_settings(w);
    enum wait wait = waits_for(cs);

    if (wait == cs->wait && (wait != WAIT_HEAD || cs->heading == cs->h2.heading) &&
        (wait != WAIT_IDLE || cs->idle_from == cs->h2.stream_total))
        return;
    set_wait(cs, wait);
    pace_turn(&cs->taking, wait >= WAIT_SEND, w->now_ms);
    if (wait >= WAIT_SEND) {
        cs->late_ms = wait == WAIT_SEND ? w->now_ms + settings->send_timeout_ms : UINT64_MAX;
        arm_send(cs, settings);
        return;
    }
    conn_deadline(&c->conn, wait == WAIT_HEAD   ? settings->head_timeout_ms
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
    COUNTER_ADD(w->sessions_open, 1);
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
        conn_deadline(&c->conn, 0);
        pace_turn(&cs->taking, false, c->conn.worker->now_ms);
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

/* It takes nothing, or too little. NONE: neither. */
static enum close_reason takes_slowly(struct client_session *cs, const struct settings *settings)
{
    struct pace_rules rules = rules_of(settings);
    uint64_t now_ms = cs->client->conn.worker->now_ms, before = cs->taking.bytes;
    bool moved = !cs->taking.based;

    if (rules.rate && !pace_left(&cs->taking, &rules, now_ms)) {
        if (pace_look(&cs->taking, taken(cs), &rules, now_ms) == PACE_SLOW)
            return CLOSE_CLIENT_READS_SLOWLY;
        if (cs->wait == WAIT_SEND && (moved || cs->taking.bytes > before))
            cs->late_ms = now_ms + settings->send_timeout_ms;
    }
    return now_ms >= cs->late_ms ? CLOSE_CLIENT_SLOW : CLOSE_NONE;
}

void client_session_late(struct client *c)
{
    struct client_session *cs = c->session;
    const struct settings *settings = worker_settings(c->conn.worker);
    enum close_reason reason;

    if (cs->wait < WAIT_SEND) {
        h2_session_fail(&cs->h2, cs->wait == WAIT_HEAD ? CLOSE_CLIENT_SLOW : CLOSE_CLIENT_IDLE, 0);
        return;
    }
    reason = takes_slowly(cs, settings);
    if (reason)
        client_close(c, reason);
    else
        arm_send(cs, settings);
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
