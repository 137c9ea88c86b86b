#include "worker/tunnel.h"

#include "script/hook.h"
#include "worker/arrival.h"
#include "worker/attempt.h"
#include "worker/client.h"
#include "worker/codec.h"
#include "worker/origin.h"
#include "worker/policy.h"
#include "worker/request_steps.h"
#include "worker/stats.h"
#include "worker/tunnel_close.h"
#include "worker/tunnel_connect.h"

#include <stdlib.h>

enum { LOGGED_TEXT_MAX = 1024 }; /* as much of a text as the access log writes */

static const char *const end_names[TUNNEL_END_COUNT] = {
#define TUNNEL_END_NAME(id, name, reason) name,
    TUNNEL_ENDS(TUNNEL_END_NAME)
#undef TUNNEL_END_NAME
};

const char *const tunnel_end_reasons[TUNNEL_END_COUNT] = {
#define TUNNEL_END_REASON(id, name, reason) reason,
    TUNNEL_ENDS(TUNNEL_END_REASON)
#undef TUNNEL_END_REASON
};

static bool starts_nocase(struct slice text, struct slice start)
{
    return text.len >= start.len && slice_eq_nocase(slice_of(text.data, start.len), start);
}

/* Requests within such a tunnel would be nobody's to route, limit or log. */
static bool hides_requests(struct slice protocol)
{
    return starts_nocase(protocol, SLICE("h2")) || starts_nocase(protocol, SLICE("h3")) ||
           starts_nocase(protocol, SLICE("http")) || starts_nocase(protocol, SLICE("tls"));
}

struct slice tunnel_protocol(const struct http_head *head)
{
    struct slice protocol;

    for (unsigned i = 0; i < head->field_count; i++) {
        struct slice list = head->fields[i].value;

        if (head->fields[i].id != FIELD_UPGRADE)
            continue;
        while (http_list_next(&list, &protocol))
            if (!hides_requests(protocol))
                return protocol;
    }
    return slice_of(NULL, 0);
}

bool tunnel_agrees(const struct request *rq, const struct http_head *response)
{
    const struct http_field *field = http_head_find(response, FIELD_UPGRADE);

    return rq->upgrading && response->upgrade && slice_eq_nocase(field->value, rq->upgrade) &&
           (!rq->head.connect || tunnel_connect_agrees(rq, response));
}

/* ---- its beginning */

static size_t kept_len(struct slice text)
{
    return text.len < LOGGED_TEXT_MAX ? text.len : LOGGED_TEXT_MAX;
}

static size_t texts_len(const struct request *rq)
{
    return kept_len(rq->upgrade) + kept_len(rq->head.method_text) + kept_len(rq->head.host) +
           kept_len(rq->head.path) + kept_len(rq->head.target);
}

static char *keep(char *to, struct slice *text)
{
    text->len = kept_len(*text);
    if (text->len)
        memcpy(to, text->data, text->len);
    text->data = to;
    return to + text->len;
}

/* Of the head only what the access log says stays: its bytes leave the client's buffer. */
static void let_go_of_head(struct request *rq, struct tunnel *t)
{
    struct http_head *head = &rq->head;
    char *to = t->texts;

    t->protocol = rq->upgrade;
    to = keep(to, &t->protocol);
    to = keep(to, &head->method_text);
    to = keep(to, &head->host);
    to = keep(to, &head->path);
    (void)keep(to, &head->target);
    head->field_count = 0;
    head->authority = rq->upgrade = rq->host = rq->path = slice_of(NULL, 0);
}

/* What belongs to the snapshot the request was matched with, and is not needed any more. */
static void let_go_of_snapshot(struct request *rq)
{
    rq->group = NULL;
    rq->failed = NULL;
    if (rq->before)
        worker_lease_release(rq->worker, rq->before);
    rq->before = NULL;
    if (rq->exchange && !rq->exchange->tag_count && rq->upload_done)
        policy_release(rq);
}

static struct tunnel *tunnel_new(struct request *rq)
{
    struct tunnel *t = calloc(1, sizeof(*t) + texts_len(rq));

    if (!t)
        return NULL;
    t->request = rq;
    t->websocket = slice_eq_nocase(rq->upgrade, SLICE("websocket"));
    t->bypass = rq->bypass;
    t->draw = (uint32_t)random_next(&rq->worker->random);
    t->opened_ms = t->moved_ms = rq->worker->now_ms;
    t->place_ms = t->limit_ms = UINT64_MAX;
    t->up.from = t->down.to = &rq->client->conn;
    t->down.from = t->up.to = &rq->origin->conn;
    ws_stream_init(&t->up.frames, true);
    ws_stream_init(&t->down.frames, false);
    list_init(&t->link);
    if (tunnel_set_join(t))
        return t;
    free(t);
    return NULL;
}

static void tunnel_delete(struct tunnel *t)
{
    tunnel_set_leave(t);
    free(t);
}

/* The client has sent its request body: what follows is the tunnel's. */
static void open_up(struct request *rq)
{
    struct tunnel *t = rq->tunnel;

    rq->codec->tunnel_source(rq, &t->up.relay);
    rq->origin_codec->tunnel_sink(rq, &t->up.relay);
    t->up.open = true;
}

static enum step open_down(struct request *rq, struct response_head *head)
{
    struct tunnel *t = tunnel_new(rq);

    if (!t) {
        rq->group = NULL; /* of a snapshot that may be gone */
        return request_refuse(rq, VERDICT_NO_MEMORY);
    }
    if (head->fields->overflow || !rq->codec->send_head(rq, head, &t->down.relay)) {
        tunnel_delete(t);
        rq->group = NULL;
        return request_refuse(rq, VERDICT_RESPONSE_TOO_BIG);
    }
    rq->tunnel = t;
    rq->origin_codec->tunnel_source(rq, &t->down.relay);
    t->down.open = true;
    rq->status = head->status;
    rq->response_started = true;
    rq->keep_alive = false;
    rq->first_byte_us = rq->worker->now_us;
    stats_count(rq);
    COUNTER_ADD(rq->local->rest->tunnels, 1);
    COUNTER_ADD(rq->local->rest->tunnels_open, 1);
    let_go_of_head(rq, t);
    let_go_of_snapshot(rq);
    conn_deadline(&rq->origin->conn, 0);
    return request_goto(rq, &request_step_tunnel);
}

/* The set moves the tunnel to the newest lease, but the head's fields may belong to the one before. */
enum step tunnel_start(struct request *rq, struct response_head *head)
{
    struct lease *lease = rq->lease;
    enum step next;

    lease->users++;
    if (UNLIKELY(rq->client->unwatched))
        arrival_watch(rq->client); /* from here on it may send */
    next = open_down(rq, head);
    worker_lease_release(rq->worker, lease);
    return next;
}

/* ---- its life */

static void count(struct tunnel *t, struct tunnel_flow *f, size_t n)
{
    struct route_local *local = t->request->local;

    f->relay.moved += n;
    t->moved_ms = t->request->worker->now_ms;
    if (f == &t->down)
        COUNTER_ADD(local->bytes_sent, n);
    else
        COUNTER_ADD(local->bytes_received, n);
}

/* Moves bytes until the source has none, the sink takes none, or closing holds them. */
static void move_bytes(struct tunnel *t, struct tunnel_flow *f)
{
    const struct relay *r = &f->relay;
    enum body_state state;
    struct slice bytes;
    size_t taken, all;
    bool more;

    while ((state = r->from->peek(r->source, &bytes, &more)) == BODY_DATA) {
        all = bytes.len;
        bytes.len = tunnel_close_allows(t, f, bytes);
        if (!bytes.len)
            break;
        taken = (r->to->send)(r->sink, bytes, more && bytes.len == all);
        if (taken && t->websocket)
            ws_stream_pass(&f->frames, bytes.data, taken);
        r->from->consume(r->source, taken);
        count(t, f, taken);
        if (taken < bytes.len && r->to->flush(r->sink) != RELAY_DONE)
            break;
    }
    f->done = state != BODY_DATA && (state != BODY_WANT || f->from->eof);
}

/* The end goes behind the last byte. A sink that takes no more has ended, too: that its source goes on is no reason to
 * wait for longer. */
static void move_end(struct tunnel_flow *f)
{
    if (f->ended)
        return;
    if (f->to->unwritable) {
        f->ended = true;
    } else if (f->done && f->flushed) {
        transport_shutdown(&f->to->transport);
        f->ended = true;
    }
}

static void move(struct tunnel *t, struct tunnel_flow *f)
{
    if (!f->open)
        return;
    move_bytes(t, f);
    f->flushed = f->relay.to->flush(f->relay.sink) == RELAY_DONE;
    move_end(f);
}

/* The request body, before the tunnel's own bytes. False: it is malformed or too large, or its client has gone. */
static bool move_upload(struct request *rq)
{
    if (rq->upload_done) {
        open_up(rq);
        return true;
    }
    switch (relay_pump(&rq->upload)) {
    case RELAY_DONE:
        rq->upload_done = true;
        open_up(rq);
        return true;
    case RELAY_WANT:
        rq->upload_wants = true;
        conn_resume(&rq->client->conn);
        return !rq->client->conn.eof;
    case RELAY_BLOCKED:
    case RELAY_BROKEN:
        return true;
    default:
        return false;
    }
}

/* ---- its end */

static bool is_over(struct tunnel *t)
{
    const struct conn *client = t->up.from, *origin = t->down.from;
    enum tunnel_end end;

    if (t->phase == TUNNEL_OVER)
        return true;
    if (client->broken || client->unwritable)
        end = TUNNEL_END_CLIENT;
    else if (origin->broken && t->down.flushed && !buf_len(&origin->in))
        end = TUNNEL_END_BACKEND;
    else if (t->up.ended && t->down.ended)
        end = TUNNEL_END_DONE;
    else
        return false;
    if (!t->end)
        t->end = end;
    return true;
}

/* Why the client's connection has to end at once; NONE: in order. */
static enum close_reason client_reason(const struct tunnel *t)
{
    const struct conn *client = t->down.to;

    if (client->broken || client->unwritable)
        return CLOSE_CLIENT_GONE;
    if (t->end == TUNNEL_END_BACKEND)
        return CLOSE_RESPONSE_CUT;
    if (t->end == TUNNEL_END_SLOW && t->down.cut)
        return CLOSE_CLIENT_SLOW;
    return t->down.cut || conn_has_unsent(client) ? CLOSE_TUNNEL_CUT : CLOSE_NONE;
}

static enum step finish(struct request *rq)
{
    struct tunnel *t = rq->tunnel;
    bool abandon;

    rq->close_reason = client_reason(t);
    abandon = rq->close_reason == CLOSE_CLIENT_GONE || t->up.cut || conn_has_unsent(t->up.to);
    if (t->end == TUNNEL_END_BACKEND) {
        rq->verdict = VERDICT_RESPONSE_CUT;
        COUNTER_ADD(rq->local->errors, 1);
    } else if (t->end == TUNNEL_END_CLIENT) {
        rq->verdict = VERDICT_CLIENT_GONE;
    }
    origin_close(&rq->origin, abandon ? CLOSE_ORIGIN_ABANDONED : CLOSE_ORIGIN_DONE);
    return request_goto(rq, &request_step_finish);
}

/* An idle tunnel holds no block, and whoever has room goes on reading. */
static void settle(struct conn *c)
{
    if (!buf_len(&c->in))
        block_pool_release(&c->worker->blocks, &c->in);
    else if (!buf_room(&c->in))
        buf_compact(&c->in);
    if (!c->in.data || buf_room(&c->in))
        conn_resume(c);
}

enum step tunnel_run(struct request *rq)
{
    struct tunnel *t = rq->tunnel;

    if (!t->up.open && !move_upload(rq)) {
        t->end = TUNNEL_END_CLIENT;
        t->phase = TUNNEL_OVER;
        t->down.cut = t->up.cut = true;
    }
    tunnel_close_look(t); /* after both flows are open, if they can be: it may have to close at once, in order */
    if (t->phase < TUNNEL_CLOSING) {
        move(t, &t->down);
        move(t, &t->up);
    }
    tunnel_close_go_on(t);
    if (is_over(t))
        return finish(rq);
    if (t->up.open)
        settle(t->up.from);
    settle(t->down.from);
    return STEP_WAIT;
}

void tunnel_set_deadline(struct request *rq)
{
    uint64_t due_ms = tunnel_close_due(rq->tunnel), now_ms = rq->worker->now_ms;

    conn_deadline(&rq->client->conn, due_ms > now_ms ? due_ms - now_ms : 1);
}

void tunnel_free(struct request *rq)
{
    if (LIKELY(!rq->tunnel))
        return;
    COUNTER_ADD(rq->local->rest->tunnels_open, (uint32_t)-1);
    tunnel_delete(rq->tunnel);
    rq->tunnel = NULL;
}

struct slice tunnel_name(const struct tunnel *t)
{
    return t->protocol;
}

/* One that was abandoned went with its client's connection, or with the proxy. */
struct slice tunnel_end_text(const struct tunnel *t)
{
    enum tunnel_end end = t->end;

    if (!end)
        end = t->request->worker->stopping ? TUNNEL_END_SHUTDOWN : TUNNEL_END_CLIENT;
    return slice_str(end_names[end]);
}
