#include "worker/h1_client.h"

#include "http/status.h"
#include "http/write.h"
#include "worker/client.h"
#include "worker/request.h"

static struct conn *conn_of(const struct request *rq)
{
    return &rq->client->conn;
}

static enum parse read_head(struct request *rq, const char **error)
{
    struct buf *in = &conn_of(rq)->in;
    struct http_limits limits = worker_limits(rq->worker);
    enum parse result;
    size_t used;

    if (!in->data)
        return PARSE_MORE;
    result = http_parse_request(&rq->head, buf_head(in), buf_len(in), &rq->scan, &limits, &used, error);
    if (result == PARSE_MORE && buf_room(in) == 0) {
        buf_compact(in);
        if (buf_room(in) == 0) {
            *error = "the head does not fit in a buffer";
            return PARSE_HEAD_TOO_BIG;
        }
    }
    if (result == PARSE_DONE) {
        rq->head_used = (uint32_t)used;
        h1_source_init(&rq->client_source, conn_of(rq), rq->head_used, rq->head.body,
                       rq->head.content_length, limits.head_size);
    }
    return result;
}

static bool can_repeat(const struct request *rq)
{
    return !rq->client_source.streaming;
}

static void rewind_upload(struct request *rq)
{
    h1_source_rewind(&rq->client_source);
}

/* Room behind what was received: by moving what is left, or, once what a full block holds was sent, by streaming on
 * in another one. Until then the body can be sent again. */
static bool make_room(struct request *rq)
{
    struct buf *in = &conn_of(rq)->in;

    if (!in->data || buf_room(in))
        return true;
    if (body_done(&rq->client_source.body))
        return false;
    if (!rq->client_source.streaming)
        return rq->upload_wants &&
               h1_source_stream(&rq->client_source, &rq->head_block);
    buf_compact(in);
    return buf_room(in) > 0;
}

static bool upload_done(const struct request *rq)
{
    return body_done(&rq->client_source.body);
}

static void open_upload(struct request *rq, struct relay *r)
{
    r->from = &h1_source_ops;
    r->source = &rq->client_source;
}

static void send_interim(struct request *rq, int status, struct slice reason,
                         const struct field_list *fields)
{
    struct conn *c = conn_of(rq);
    struct writer w = writer_on(&c->out);

    if (rq->head.minor == 0 || c->blocked || !block_pool_take(&rq->worker->blocks, &c->out))
        return;
    write_status_line(&w, status, reason);
    write_fields(&w, fields);
    write_literal(&w, "\r\n");
    if (w.overflow)
        c->out.start = c->out.end = 0;
    conn_flush(c);
}

/* HTTP/2 says by the head alone that nothing follows. */
static bool is_silent_end(const struct request *rq, const struct response_head *head)
{
    return head->body == BODY_NONE && !head->tunnel.data && http_status_has_body(head->status) && rq->head.method != METHOD_HEAD;
}

static void write_framing(struct writer *w, const struct request *rq, const struct response_head *head,
                          bool chunked)
{
    if (chunked) {
        write_literal(w, "Transfer-Encoding: chunked\r\n");
    } else if (head->body == BODY_LENGTH || head->tell_length || is_silent_end(rq, head)) {
        write_literal(w, "Content-Length: ");
        write_uint(w, head->content_length);
        write_literal(w, "\r\n");
    }
}

static void write_head(struct writer *w, const struct request *rq, const struct response_head *head,
                       bool chunked)
{
    write_status_line(w, head->status, head->reason);
    write_fields(w, head->fields);
    write_framing(w, rq, head, chunked);
    if (head->tunnel.data)
        write_upgrade(w, head->tunnel);
    else if (!head->keep_alive)
        write_literal(w, "Connection: close\r\n");
    else if (rq->head.minor == 0)
        write_literal(w, "Connection: keep-alive\r\n");
    write_literal(w, "\r\n");
}

/* Appends the head to what is still queued (an interim response), in a larger block if it must be. */
static bool compose_head(struct request *rq, const struct response_head *head, bool chunked)
{
    struct conn *c = conn_of(rq);
    struct writer w = writer_on(&c->out);
    uint32_t before;

    if (!block_pool_take(&rq->worker->blocks, &c->out))
        return false;
    before = c->out.end;
    write_head(&w, rq, head, chunked);
    if (!w.overflow)
        return true;
    c->out.end = before;
    if (!block_pool_enlarge(&rq->worker->blocks, &c->out))
        return false;
    before = c->out.end;
    w.overflow = false;
    write_head(&w, rq, head, chunked);
    if (w.overflow)
        c->out.end = before;
    return !w.overflow;
}

static bool send_head(struct request *rq, struct response_head *head, struct relay *r)
{
    bool open_ended = head->body == BODY_CHUNKED || head->body == BODY_UNTIL_CLOSE;
    bool chunked = open_ended && rq->head.minor >= 1;

    if (open_ended && !chunked)
        head->keep_alive = false;
    if (!compose_head(rq, head, chunked))
        return false;
    h1_sink_init(&rq->client_sink, conn_of(rq), chunked);
    if (!head->keep_alive)
        h1_sink_ends(&rq->client_sink, head->body == BODY_LENGTH ? head->content_length : UINT64_MAX);
    r->to = &h1_sink_ops;
    r->sink = &rq->client_sink;
    return true;
}

static void finish(struct request *rq)
{
    struct buf *in = &conn_of(rq)->in;

    block_pool_release(&rq->worker->blocks, &rq->head_block);
    if (rq->client_source.streaming)
        return;
    if (rq->head_used)
        buf_consume(in, rq->client_source.kept);
}

static void tunnel_source(struct request *rq, struct relay *r)
{
    struct conn *c = conn_of(rq);

    finish(rq);
    h1_source_init(&rq->client_source, c, 0, BODY_UNTIL_CLOSE, 0, 0);
    open_upload(rq, r);
}

const struct client_codec h1_client_codec = {
    "HTTP/1.1", NULL, read_head, can_repeat, rewind_upload, make_room, upload_done, open_upload,
    send_interim, send_head, finish, tunnel_source,
};
