#include "worker/h1_origin.h"

#include "http/write.h"
#include "worker/origin.h"
#include "worker/policy.h"
#include "worker/request.h"

static void write_head(struct writer *w, const struct request *rq, const struct field_list *fields)
{
    const struct http_head *head = &rq->head;
    struct slice target = policy_target(rq);

    write_slice(w, head->method_text);
    write_literal(w, " ");
    if (rq->member->has_base_path && target.data[0] != '*')
        write_slice(w, rq->member->base_path);
    write_slice(w, target);
    write_literal(w, " HTTP/1.1\r\n");
    write_fields(w, fields);
    if (UNLIKELY(rq->upgrading))
        write_upgrade(w, rq->upgrade);
    if (head->body == BODY_CHUNKED) {
        write_literal(w, "Transfer-Encoding: chunked\r\n");
    } else if (http_head_may_have(head, FIELD_CONTENT_LENGTH)) {
        write_literal(w, "Content-Length: ");
        write_uint(w, head->content_length);
        write_literal(w, "\r\n");
    }
    write_literal(w, "\r\n");
}

static bool send_head(struct request *rq, const struct field_list *fields, struct relay *r)
{
    struct conn *c = &rq->origin->conn;
    struct writer w = writer_on(&c->out);

    if (!block_pool_take(&rq->worker->blocks, &c->out))
        return false;
    write_head(&w, rq, fields);
    if (w.overflow) {
        c->out.start = c->out.end = 0;
        if (!block_pool_enlarge(&rq->worker->blocks, &c->out))
            return false;
        w.overflow = false;
        write_head(&w, rq, fields);
    }
    h1_sink_init(&rq->origin_sink, c, rq->head.body == BODY_CHUNKED);
    r->to = &h1_sink_ops;
    r->sink = &rq->origin_sink;
    return !w.overflow;
}

static enum parse read_head(struct request *rq, struct http_head *head, const char **error)
{
    struct buf *in = &rq->origin->conn.in;
    struct http_limits limits = worker_limits(rq->worker);
    enum parse result;
    size_t used;

    if (!buf_len(in))
        return PARSE_MORE;
    result = http_parse_response(head, rq->head.method, buf_head(in), buf_len(in),
                                 &rq->response_scan, &limits, &used, error);
    if (result == PARSE_MORE && buf_room(in) == 0) {
        buf_compact(in);
        return buf_room(in) ? PARSE_MORE : PARSE_HEAD_TOO_BIG;
    }
    if (result == PARSE_DONE) {
        rq->response_scan = (struct http_scan){0};
        /* Only indices move; the head's slices stay valid until the next read. */
        buf_consume(in, used);
    }
    return result;
}

/* A large body is read in large blocks: half the cost of small ones. */
static void open_download(struct request *rq, const struct http_head *head, struct relay *r)
{
    struct conn *c = &rq->origin->conn;

    h1_source_init(&rq->origin_source, c, 0, head->body, head->content_length,
                   (uint32_t)worker_settings(rq->worker)->head_size);
    r->from = &h1_source_ops;
    r->source = &rq->origin_source;
}

static bool eof(struct request *rq)
{
    return body_eof(&rq->origin_source.body);
}

static void tunnel_source(struct request *rq, struct relay *r)
{
    h1_source_init(&rq->origin_source, &rq->origin->conn, 0, BODY_UNTIL_CLOSE, 0, 0);
    r->from = &h1_source_ops;
    r->source = &rq->origin_source;
}

static void tunnel_sink(struct request *rq, struct relay *r)
{
    h1_sink_init(&rq->origin_sink, &rq->origin->conn, false);
    r->to = &h1_sink_ops;
    r->sink = &rq->origin_sink;
}

const struct origin_codec h1_origin_codec = {send_head, read_head, open_download, eof, tunnel_source, tunnel_sink};
