#include "spec/fuzz/h2_streams.h"

#include "base/hash.h"
#include "spec/fuzz/heads.h"
#include "worker/h2_body.h"

#include <stdlib.h>

/* When an answer is sent, and when the stream is closed. */
enum { AT_ONCE, BEHIND_REQUEST, NEVER, ABORTS, WHEN = 3 };
enum { READS_NOTHING = 8, REFUSES = 16, INTERIM = 32 };
/* What it sends. */
enum { NO_BODY, LENGTH, CHUNKS, TRAILERS, WHAT = 3 };
enum { LARGE = 4, HEAD_REQUEST = 8, REWINDS = 16, SMALL_BODY = 300 };

static const struct field_list no_fields;

static struct h2_fuzz_stream *of(struct ev_io *io)
{
    return CONTAINER_OF(io, struct h2_fuzz_stream, conn.io);
}

/* ---- what it receives goes here */

static size_t in_send(void *sink, struct slice data, bool more)
{
    struct h2_fuzz_stream *s = sink;

    (void)more;
    CHECK(data.len && !s->body_ended);
    if (s->world->hold)
        return 0;
    s->body_len += data.len;
    return data.len;
}

static void in_end(void *sink, const struct http_head *trailers)
{
    struct h2_fuzz_stream *s = sink;

    CHECK(!s->body_ended);
    s->body_ended = true;
    if (trailers)
        heads_check_fields(trailers);
}

static enum relay_state in_flush(void *sink)
{
    return ((struct h2_fuzz_stream *)sink)->world->hold ? RELAY_BLOCKED : RELAY_DONE;
}

static const struct sink_ops in_ops = {in_send, in_end, in_flush};

/* ---- and what it sends comes from here */

static enum body_state out_peek(void *source, struct slice *payload, bool *more)
{
    struct h2_fuzz_stream *s = source;
    uint32_t left = s->size - s->at;

    *more = false;
    *payload = SLICE("x-end: 1\r\n\r\n");
    if (!left)
        return (s->what & WHAT) == TRAILERS && !s->trailed ? BODY_TRAILERS : BODY_END;
    *payload = h2_wire_body(s->stream.id, s->at, left < 20000 ? left : 20000);
    return BODY_DATA;
}

static void out_consume(void *source, size_t n)
{
    struct h2_fuzz_stream *s = source;

    if (s->at < s->size)
        s->at += (uint32_t)n;
    else
        s->trailed = true;
}

static const struct source_ops out_ops = {out_peek, out_consume};

/* ---- life */

static void close_stream(struct h2_fuzz_stream *s, bool abort)
{
    CHECK(s->stream.session);
    conn_close(&s->conn, abort);
    CHECK(!s->stream.session);
    list_remove(&s->link);
    s->world->closed++;
    worker_retire(&s->world->worker, &s->retired);
}

static void run_server(struct h2_fuzz_stream *s);
static void run_client(struct h2_fuzz_stream *s);

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct h2_fuzz_stream *s = of(io);

    (void)loop;
    CHECK(s->stream.session); /* nobody is told anything once it has closed */
    if (events & EV_WRITE)
        s->conn.blocked = false;
    CHECK(buf_len(&s->conn.in) <= H2_STREAM_WINDOW);
    if (s->world->still)
        return;
    if (s->world->h2.role == H2_CLIENT)
        run_client(s);
    else if (!s->conn.broken)
        run_server(s);
    else
        close_stream(s, false);
}

static void on_late(struct conn *c)
{
    (void)c;
}

static const struct conn_owner conn_events = {on_io, on_late};

static struct h2_fuzz_stream *new_stream(struct h2_world *w, int32_t id)
{
    struct h2_fuzz_stream *s = calloc(1, sizeof(*s));
    struct transport transport;

    CHECK(s);
    s->world = w;
    s->when = h2_world_script(w);
    s->what = h2_world_script(w);
    s->how = h2_world_script(w);
    h2_stream_open(&s->stream, &w->h2, id, &s->conn, &transport);
    conn_open(&s->conn, &w->worker, &transport, &conn_events);
    list_init(&s->link);
    list_push_back(&w->streams, &s->link);
    w->opened++;
    s->in = (struct relay){&h2_source_ops, &s->stream, &in_ops, s, .trailers = &w->worker.response};
    s->out = (struct relay){&out_ops, s, &h2_sink_ops, &s->stream, .trailers = &w->worker.response};
    return s;
}

static void know_id(struct h2_fuzz_stream *s)
{
    struct h2_wire_stream *sent = h2_wire_stream(&s->world->wire, s->stream.id);

    if (!sent)
        return;
    CHECK(!sent->open);
    sent->open = true;
}

/* ---- both ways */

/* The bytes that were announced, and no more. */
static void check_length(const struct h2_fuzz_stream *s)
{
    if (s->head.body == BODY_NONE && !s->head.connect) /* of a tunnel the bytes are */
        CHECK(s->body_len == 0);
    if (s->head.body != BODY_LENGTH)
        return;
    CHECK(s->body_len <= s->head.content_length);
    CHECK(!s->body_ended || s->body_len == s->head.content_length);
}

/* False: the stream has closed. */
static bool receive(struct h2_fuzz_stream *s)
{
    if (s->received || (s->how & READS_NOTHING))
        return true;
    switch (relay_pump(&s->in)) {
    case RELAY_DONE:
        s->received = true;
        CHECK(s->body_ended && h2_source_done(&s->stream));
        break;
    case RELAY_BAD:
        close_stream(s, true);
        return false;
    default:
        break;
    }
    check_length(s);
    return true;
}

static void start_sending(struct h2_fuzz_stream *s, bool ends)
{
    s->size = ends ? 0 : s->what & LARGE ? H2_BODY_MAX : SMALL_BODY;
    s->stream.left = (s->what & WHAT) == LENGTH ? s->size : UINT64_MAX;
    s->stream.ending = ends;
    s->sent_head = true;
}

/* What was composed whole has left whole, once the peer took it. */
static void check_sent(const struct h2_fuzz_stream *s)
{
    const struct h2_wire_stream *sent = h2_wire_stream(&s->world->wire, s->stream.id);

    CHECK(s->at == s->size);
    if (sent && s->world->takes == SIZE_MAX && !buf_len(&s->world->conn.out) && !s->world->h2.left.len)
        CHECK(sent->ended && sent->body == s->size);
}

static void send_on(struct h2_fuzz_stream *s)
{
    if (!s->sent_head || s->sent)
        return;
    if (relay_pump(&s->out) != RELAY_DONE || s->conn.unwritable)
        return;
    s->sent = true;
    conn_flush(&s->world->conn);
    check_sent(s);
}

/* ---- a client's */

struct h2_stream *h2_streams_accept(struct h2_world *w, int32_t id, struct h2_fields *fields, bool ends)
{
    struct h2_fuzz_stream *s;

    if (!w->still && w->script.bytes.len && (h2_world_script(w) & REFUSES) && (h2_world_script(w) & REFUSES))
        return NULL;
    s = new_stream(w, id);
    s->stream.head = *fields;
    s->stream.bodyless = ends;
    *fields = (struct h2_fields){0};
    know_id(s);
    return &s->stream;
}

static void read_request(struct h2_fuzz_stream *s)
{
    struct http_limits limits = worker_limits(&s->world->worker);
    const char *error = NULL;
    enum parse result = h2_head_request(&s->head, &s->stream.head, s->stream.bodyless, &limits, &error);

    CHECK(result != PARSE_MORE && (result == PARSE_DONE) == !error);
    s->read_head = true;
    s->bad_head = result != PARSE_DONE;
    if (s->bad_head)
        return;
    CHECK(s->head.field_count <= limits.field_count && s->head.target.len <= limits.target_length);
    heads_check_fields(&s->head);
    heads_check_request(&s->head);
    if (s->head.body == BODY_LENGTH)
        s->stream.expected = s->head.content_length;
}

static void answer(struct h2_fuzz_stream *s)
{
    bool ends = s->bad_head || (s->what & WHAT) == NO_BODY || s->head.method == METHOD_HEAD;

    if ((s->how & INTERIM) && h2_stream_respond(&s->stream, 103, &no_fields, UINT64_MAX, false, false))
        return;
    start_sending(s, ends);
    if (h2_stream_respond(&s->stream, 200, &no_fields, s->stream.left, true, ends))
        s->conn.unwritable = true;
}

static void run_server(struct h2_fuzz_stream *s)
{
    if (!s->read_head)
        read_request(s);
    if (!s->bad_head && !receive(s))
        return;
    if ((s->when & WHEN) == ABORTS) {
        close_stream(s, true);
        return;
    }
    if ((s->when & WHEN) == NEVER) {
        if (s->received)
            close_stream(s, false);
        return;
    }
    if (!s->sent_head && (s->bad_head || (s->when & WHEN) == AT_ONCE || s->received))
        answer(s);
    if ((s->what & REWINDS) && s->received && !s->stream.streaming && !s->sent && !s->at) {
        h2_source_rewind(&s->stream);
        CHECK(s->stream.kept == 0);
        s->what &= (uint8_t)~REWINDS;
        s->received = s->body_ended = s->in.ended = false;
        s->body_len = 0;
        if (!receive(s))
            return;
    }
    send_on(s);
    if (s->sent) /* as client.c does, be the request read or not */
        close_stream(s, false);
}

/* ---- one to a backend */

void h2_streams_request(struct h2_world *w)
{
    struct h2_target target = {SLICE("GET"), SLICE("http"), SLICE("a.example"), SLICE("/")};
    struct h2_fuzz_stream *s;
    bool ends;

    if (!w->open || w->lost || w->h2.over || !(w->still ? !h2_session_is_used_up(&w->h2) : h2_session_places(&w->h2) > 0))
        return;
    s = new_stream(w, 0);
    s->stream.streaming = true;
    ends = w->still || (s->what & WHAT) == NO_BODY;
    target.method = s->what & HEAD_REQUEST ? SLICE("HEAD") : ends ? SLICE("GET") : SLICE("POST");
    start_sending(s, ends);
    if (s->conn.unwritable || h2_stream_request(&s->stream, &target, &no_fields, s->stream.left, ends)) {
        s->conn.broken = s->conn.unwritable = true;
        close_stream(s, false);
        return;
    }
    know_id(s);
    if (!w->still)
        run_client(s);
}

/* False: there is none yet, or the stream has closed. */
static bool read_response(struct h2_fuzz_stream *s)
{
    struct h2_stream *st = &s->stream;
    enum method method = s->what & HEAD_REQUEST ? METHOD_HEAD : METHOD_GET;
    const char *error = NULL;

    while (!s->read_head) {
        bool ends;

        if (st->malformed || !h2_stream_next_head(st)) {
            if (st->malformed || s->conn.broken)
                close_stream(s, false);
            return false;
        }
        ends = !st->later && st->ended && !st->received && !st->trailers.data;
        if (h2_head_response(&s->head, &st->head, ends, method, &error) != PARSE_DONE) {
            CHECK(error);
            close_stream(s, false);
            return false;
        }
        heads_check_fields(&s->head);
        CHECK(s->head.status >= 100 && s->head.status <= 999);
        st->head.count = 0;
        s->read_head = s->head.status >= 200;
    }
    return true;
}

static void run_client(struct h2_fuzz_stream *s)
{
    if (!s->conn.unwritable)
        send_on(s);
    if (!s->read_head) {
        if (!read_response(s))
            return;
        if (s->head.body == BODY_LENGTH)
            s->stream.expected = s->head.content_length;
    }
    if (!receive(s))
        return;
    if (s->received || s->conn.broken || (s->when & WHEN) == ABORTS)
        close_stream(s, false);
}

/* ---- all of them */

void h2_streams_wake(struct h2_world *w)
{
    struct list *node, *next;

    if (!w->open)
        return;
    LIST_EACH (node, next, &w->streams)
        h2_stream_tell(&CONTAINER_OF(node, struct h2_fuzz_stream, link)->stream, EV_READ);
    h2_session_touch(&w->h2);
}

static uint64_t hash_of(const struct buf *b)
{
    return b->data ? hash_bytes(buf_head(b), buf_len(b), 1) : 0;
}

void h2_streams_record(const struct h2_fuzz_stream *s, struct h2_record *out)
{
    *out = (struct h2_record){
        .id = s->stream.id, .fields = s->stream.head.count, .bodyless = s->stream.bodyless, .ended = s->stream.ended,
        .failed = s->conn.broken || s->stream.malformed,
        .heads = s->stream.head.text.data ? 1 : 0, .head = hash_of(&s->stream.head.text),
        .body = hash_of(&s->conn.in), .body_len = s->stream.received, .trailers = hash_of(&s->stream.trailers),
    };
    for (const struct h2_later *l = s->stream.later; l; l = l->next) {
        out->heads++;
        out->head = hash_bytes(&out->head, sizeof(out->head), hash_of(&l->fields.text));
    }
    CHECK(buf_len(&s->conn.in) == s->stream.received);
}

void h2_streams_drop(struct h2_world *w)
{
    struct list *node, *next;

    LIST_EACH (node, next, &w->streams)
        close_stream(CONTAINER_OF(node, struct h2_fuzz_stream, link), false);
}
