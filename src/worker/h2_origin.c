#include "worker/h2_origin.h"

#include "worker/carrier.h"
#include "worker/h2_body.h"
#include "worker/origin.h"
#include "worker/policy.h"
#include "worker/pool.h"
#include "worker/request.h"

#include <errno.h>
#include <stdlib.h>

struct h2_origin {
    struct origin origin; /* first */
    struct h2_stream stream;
    struct list waiting;     /* in pool.waiting, until it has a place */
    struct carrier *carrier; /* once it has one */
};

static struct h2_origin *of(struct origin *o)
{
    return CONTAINER_OF(o, struct h2_origin, origin);
}

static struct h2_stream *stream_of(const struct request *rq)
{
    return &of(rq->origin)->stream;
}

/* ---- before it has a place */

static enum io waiting_move(struct transport *t, size_t *n)
{
    (void)t;
    *n = 0;
    return IO_AGAIN;
}

static enum io waiting_read(struct transport *t, void *to, size_t size, size_t *n)
{
    (void)to;
    (void)size;
    return waiting_move(t, n);
}

static enum io waiting_write(struct transport *t, const struct iovec *iov, int count, size_t *n)
{
    (void)iov;
    (void)count;
    return waiting_move(t, n);
}

static void waiting_shutdown(struct transport *t)
{
    (void)t;
}

static void waiting_close(struct transport *t, bool abort)
{
    struct h2_origin *ho = t->state;

    (void)abort;
    list_remove(&ho->waiting);
}

static void waiting_wait(struct transport *t, int events)
{
    (void)t;
    (void)events;
}

static const struct transport_ops waiting_ops = {
    .read = waiting_read,
    .write = waiting_write,
    .shutdown = waiting_shutdown,
    .close = waiting_close,
    .wait = waiting_wait,
};

static void seat(struct h2_origin *ho, struct carrier *k)
{
    list_remove(&ho->waiting);
    ho->carrier = k;
    carrier_seat(k, &ho->stream, &ho->origin.conn);
    ho->stream.streaming = true; /* nobody reads an answer twice */
    if (ho->origin.phase == ORIGIN_CONNECTING)
        origin_set_phase(&ho->origin, ORIGIN_BUSY);
}

static bool may_make_another(const struct pool *pool)
{
    uint64_t most = worker_settings(pool->worker)->pool_size;

    return !pool->carriers_made && pool->carrier_count < (most ? most : 1);
}

void h2_origin_seat_waiting(struct pool *pool)
{
    while (!list_empty(&pool->waiting)) {
        struct h2_origin *ho = CONTAINER_OF(pool->waiting.next, struct h2_origin, waiting);
        struct carrier *k = carrier_find(pool, false);
        struct carrier_failure failure = {0};

        if (k) {
            seat(ho, k);
            ev_feed_event(pool->worker->loop, &ho->origin.conn.io, EV_READ);
            continue;
        }
        if (may_make_another(pool) && !carrier_open(pool, ho->origin.request, &failure.error))
            h2_origin_fail_waiting(pool, &failure);
        return;
    }
}

void h2_origin_fail_waiting(struct pool *pool, const struct carrier_failure *failure)
{
    while (!list_empty(&pool->waiting)) {
        struct h2_origin *ho = CONTAINER_OF(pool->waiting.next, struct h2_origin, waiting);

        list_remove(&ho->waiting);
        ho->origin.error = failure->error;
        ho->origin.tls_failure = failure->tls_failure;
        ho->origin.tls_error = failure->tls_error;
        ev_feed_event(pool->worker->loop, &ho->origin.conn.io, EV_READ);
    }
}

/* ---- the origin */

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct h2_origin *ho = CONTAINER_OF(io, struct h2_origin, origin.conn.io);
    struct worker *w = ho->origin.conn.worker;

    (void)loop;
    ASSERT_WORKER(w);
    if (events & EV_WRITE)
        ho->origin.conn.blocked = false;
    if (ho->stream.head.text.data && !ho->stream.head.count) /* was read, and nobody looks at it any more */
        block_pool_release(&w->blocks, &ho->stream.head.text);
    request_go_on(ho->origin.request);
    /* The origin may have ended by now; it is freed later. A call that is silent for hours holds no block. */
    if (ho->origin.phase == ORIGIN_BUSY && !buf_len(&ho->origin.conn.in))
        block_pool_release(&w->blocks, &ho->origin.conn.in);
}

static void on_late(struct conn *conn)
{
    struct h2_origin *ho = CONTAINER_OF(conn, struct h2_origin, origin.conn);

    ASSERT_WORKER(ho->origin.conn.worker);
    if (ho->carrier)
        carrier_doubt(ho->carrier);
    ho->origin.timed_out = true;
    request_go_on(ho->origin.request);
}

static const struct conn_owner conn_events = {on_io, on_late};

static struct h2_origin *new_origin(struct pool *pool, struct request *rq)
{
    struct h2_origin *ho = calloc(1, sizeof(*ho));
    struct transport transport = {.ops = &waiting_ops, .fd = -1, .state = ho, .open = true};

    if (!ho)
        return NULL;
    conn_open(&ho->origin.conn, pool->worker, &transport, &conn_events);
    list_init(&ho->origin.link);
    list_init(&ho->waiting);
    ho->origin.pool = pool;
    ho->origin.codec = &h2_origin_codec;
    ho->origin.request = rq;
    ho->origin.phase = ORIGIN_CONNECTING;
    pool->busy_count++;
    return ho;
}

static void give_up(struct h2_origin *ho)
{
    ho->origin.pool->busy_count--;
    conn_close(&ho->origin.conn, false);
    free(ho);
}

struct origin *h2_origin_open(struct pool *pool, struct request *rq, int *error)
{
    bool careful = !http_method_is_idempotent(rq->head.method);
    struct carrier *k = rq->fresh ? NULL : carrier_find(pool, careful);
    struct h2_origin *ho = new_origin(pool, rq);

    if (!ho) {
        *error = -ENOMEM;
        return NULL;
    }
    if (k) {
        ho->origin.reused = true;
        seat(ho, k);
        return &ho->origin;
    }
    ho->origin.shares = !may_make_another(pool);
    if (!ho->origin.shares && !carrier_open(pool, rq, error)) {
        give_up(ho);
        return NULL;
    }
    list_push_back(&pool->waiting, &ho->waiting);
    conn_deadline(&ho->origin.conn, rq->member->connect_timeout_ms);
    return &ho->origin;
}

/* ---- the codec */

/* The base path and the target, in one piece: in text where it has to be. False: does not fit. */
static bool put_path(const struct request *rq, struct buf *text, struct slice *path)
{
    struct slice base = rq->member->base_path;

    *path = policy_target(rq);
    if (!base.len || path->data[0] == '*')
        return true;
    if (!block_pool_take(&rq->worker->blocks, text) || !buf_append(text, base.data, base.len) ||
        !buf_append(text, path->data, path->len))
        return false;
    *path = slice_of(buf_head(text), buf_len(text));
    return true;
}

static struct slice authority_of(const struct field_list *fields)
{
    for (unsigned i = 0; i < fields->count; i++)
        if (slice_eq_nocase(fields->field[i].name, SLICE("host")))
            return fields->field[i].value;
    return SLICE("");
}

/* A stream that cannot be sent on has ended already: that is found when the answer is read. */
static void send_fields(struct request *rq, const struct field_list *fields, struct slice path)
{
    const struct http_head *head = &rq->head;
    struct h2_stream *st = stream_of(rq);
    bool says_length = head->body != BODY_CHUNKED && http_head_find(head, FIELD_CONTENT_LENGTH);
    struct h2_target target = {
        .method = head->method_text,
        .scheme = rq->member->tls.client ? SLICE("https") : SLICE("http"),
        .authority = authority_of(fields),
        .path = path,
    };

    st->ending = head->body == BODY_NONE || (head->body == BODY_LENGTH && !head->content_length && !head->may_trail);
    st->left = head->body == BODY_LENGTH && !head->may_trail ? head->content_length : UINT64_MAX;
    if (st->conn->unwritable || h2_stream_request(st, &target, fields, says_length ? head->content_length : UINT64_MAX,
                                                  st->ending))
        st->conn->broken = st->conn->unwritable = true;
}

static bool send_head(struct request *rq, const struct field_list *fields, struct relay *r)
{
    struct buf text = {0};
    struct slice path;
    bool fits = put_path(rq, &text, &path);

    if (fits)
        send_fields(rq, fields, path);
    block_pool_release(&rq->worker->blocks, &text);
    r->to = &h2_sink_ops;
    r->sink = stream_of(rq);
    return fits;
}

static enum parse read_head(struct request *rq, struct http_head *head, const char **error)
{
    struct h2_stream *st = stream_of(rq);
    enum parse result;
    bool ends;

    if (st->malformed || !h2_stream_next_head(st)) { /* of a malformed answer nothing is sent on */
        rq->origin->unreached = st->refused || !st->sent_head;
        if (st->refused)
            carrier_refused(of(rq->origin)->carrier);
        *error = "malformed HTTP/2";
        return st->malformed ? PARSE_BAD : PARSE_MORE;
    }
    ends = !st->later && st->ended && !st->received && !st->trailers.data;
    result = h2_head_response(head, &st->head, ends, rq->head.method, error);
    st->head.count = 0; /* read; its text stays for a while */
    return result;
}

static void open_download(struct request *rq, const struct http_head *head, struct relay *r)
{
    struct h2_stream *st = stream_of(rq);

    if (head->body == BODY_LENGTH)
        st->expected = head->content_length;
    r->from = &h2_source_ops;
    r->source = st;
}

static bool eof(struct request *rq)
{
    (void)rq;
    return false;
}

/* No tunnels: a request for one is sent without asking for it, see step_send_head. */
const struct origin_codec h2_origin_codec = {
    .send_head = send_head,
    .read_head = read_head,
    .open_download = open_download,
    .eof = eof,
};
