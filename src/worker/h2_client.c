#include "worker/h2_client.h"

#include "worker/client.h"
#include "worker/h2_body.h"
#include "worker/h2_session.h"
#include "worker/pacing.h"
#include "worker/request.h"

#include <stdlib.h>

struct h2_client {
    struct client client; /* first */
    struct h2_stream stream;
};

static struct h2_stream *stream_of(const struct request *rq)
{
    return rq->client->conn.transport.state;
}

/* What was received is in its buffer already. */
static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct client *c = CONTAINER_OF(io, struct client, conn.io);

    (void)loop;
    ASSERT_WORKER(c->conn.worker);
    if (events & EV_WRITE)
        c->conn.blocked = false;
    if (c->conn.broken)
        client_close(c, CLOSE_CLIENT_GONE);
    else if (!c->request && !(c->request = request_new(c->conn.worker, c, &h2_client_codec)))
        client_close(c, CLOSE_NO_MEMORY);
    else
        client_drive(c);
}

static void on_late(struct conn *conn)
{
    struct client *c = CONTAINER_OF(conn, struct client, conn);
    uint64_t send_ms = worker_settings(c->conn.worker)->send_timeout_ms;

    ASSERT_WORKER(c->conn.worker);
    if (!request_outlives_upload(c->request) && h2_stream_awaits_turn(c->conn.transport.state, send_ms)) {
        pacing_excuse(c->request);
        return;
    }
    client_late(c);
}

static const struct conn_owner conn_events = {on_io, on_late};

static void open_client(struct client *c, const struct client *parent, const struct transport *transport)
{
    conn_open(&c->conn, parent->conn.worker, transport, &conn_events);
    c->peer = parent->peer;
    c->secure = parent->secure;
    c->tls = parent->tls; /* the connection outlives its streams */
    c->phase = CLIENT_HEAD;
    c->stream = true;
    list_init(&c->link);
    COUNTER_ADD(c->conn.worker->streams, 1);
}

struct h2_stream *h2_client_open(const struct client *parent, struct h2_session *session, int32_t id,
                                 struct h2_fields *fields, bool ends)
{
    struct h2_client *hc = calloc(1, sizeof(*hc));
    struct transport transport;

    if (!hc)
        return NULL;
    h2_stream_open(&hc->stream, session, id, &hc->client.conn, &transport);
    hc->stream.head = *fields;
    hc->stream.bodyless = ends;
    *fields = (struct h2_fields){0};
    open_client(&hc->client, parent, &transport);
    return &hc->stream;
}

static enum parse read_head(struct request *rq, const char **error)
{
    struct h2_stream *st = stream_of(rq);
    struct http_limits limits = worker_limits(rq->worker);
    enum parse result = h2_head_request(&rq->head, &st->head, st->bodyless, &limits, error);

    if (rq->head.body == BODY_LENGTH)
        st->expected = rq->head.content_length;
    return result;
}

static bool can_repeat(const struct request *rq)
{
    return !stream_of(rq)->streaming;
}

static void rewind_upload(struct request *rq)
{
    h2_source_rewind(stream_of(rq));
}

static bool make_room(struct request *rq)
{
    (void)rq;
    return true; /* the window is what there is room for */
}

static bool upload_done(const struct request *rq)
{
    return h2_source_done(stream_of(rq));
}

static void open_upload(struct request *rq, struct relay *r)
{
    r->from = &h2_source_ops;
    r->source = stream_of(rq);
}

static void send_interim(struct request *rq, int status, struct slice reason,
                         const struct field_list *fields)
{
    (void)reason;
    if (!rq->client->conn.blocked && h2_stream_respond(stream_of(rq), status, fields, UINT64_MAX, false, false))
        rq->client->conn.unwritable = true;
}

static bool send_head(struct request *rq, struct response_head *head, struct relay *r)
{
    struct h2_stream *st = stream_of(rq);
    bool says_length = head->body == BODY_LENGTH || head->tell_length;
    bool tunnel = head->tunnel.data != NULL;
    bool ends = (head->body == BODY_NONE && !tunnel) ||
                (head->body == BODY_LENGTH && !head->content_length && !head->may_trail);

    st->left = head->body == BODY_LENGTH && !head->may_trail ? head->content_length : UINT64_MAX;
    st->ending = ends;
    r->to = &h2_sink_ops;
    r->sink = st;
    if (head->moves_on)
        h2_session_leave(st->session);
    return h2_stream_respond(st, tunnel ? 200 : head->status, head->fields, says_length ? head->content_length : UINT64_MAX,
                             true, ends) == 0;
}

static void finish(struct request *rq)
{
    (void)rq;
}

/* A tunnel's bytes are the body (RFC 8441). */
static void tunnel_source(struct request *rq, struct relay *r)
{
    h2_source_stream(stream_of(rq));
    open_upload(rq, r);
}

static enum verdict admit(const struct request *rq)
{
    return rq->group->no_http2 ? VERDICT_NO_HTTP2 : VERDICT_PASS;
}

const struct client_codec h2_client_codec = {
    "HTTP/2", admit, read_head, can_repeat, rewind_upload, make_room, upload_done, open_upload, send_interim,
    send_head, finish, tunnel_source,
};
