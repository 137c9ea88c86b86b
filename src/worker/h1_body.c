#include "worker/h1_body.h"

#include "http/write.h"
#include "worker/memory.h"

enum { GATHER_MAX = 2048 }; /* payloads up to this many bytes are copied together into one send */

void h1_source_init(struct h1_source *s, struct conn *conn, uint32_t kept, enum http_body_kind kind,
                    uint64_t content_length, uint32_t framing_limit)
{
    s->conn = conn;
    body_init(&s->body, kind, content_length, framing_limit);
    s->start = s->body;
    s->kept = s->kept_start = kept;
    s->streaming = kept == 0;
}

void h1_source_rewind(struct h1_source *s)
{
    CHECK(!s->streaming);
    s->body = s->start;
    s->kept = s->kept_start;
}

static void source_drop(struct h1_source *s, size_t n)
{
    if (!n)
        return;
    if (s->streaming)
        buf_consume(&s->conn->in, n);
    else
        s->kept += (uint32_t)n;
}

/* A large block, or a small one where memory is short and it does. None where a wide one holds more that was not moved. */
static bool take_next(struct worker *w, struct buf *next, size_t rest)
{
    bool small = memory_is_short(w) && rest <= w->blocks.small_size / 2;

    if (rest > w->blocks.large_size)
        return false;
    return small ? block_pool_take(&w->blocks, next) : block_pool_enlarge(&w->blocks, next);
}

bool h1_source_stream(struct h1_source *s, struct buf *head)
{
    struct buf *in = &s->conn->in;
    struct buf next = {0};
    size_t rest = buf_len(in) - s->kept;

    CHECK(!s->streaming && !head->data);
    if (!take_next(s->conn->worker, &next, rest))
        return false;
    CHECK(buf_append(&next, buf_head(in) + s->kept, rest));
    *head = *in;
    *in = next;
    s->kept = 0;
    s->streaming = true;
    return true;
}

static enum body_state source_peek(void *source, struct slice *payload, bool *more)
{
    struct h1_source *s = source;
    struct buf *in = &s->conn->in;
    const char *data = in->data ? buf_head(in) + s->kept : "";
    size_t len = buf_len(in) - s->kept, skip, n;
    enum body_state state = body_peek(&s->body, data, len, &skip, &n);

    source_drop(s, skip);
    *payload = slice_of(data + skip, n);
    *more = len > skip + n;
    return state;
}

static void source_consume(void *source, size_t n)
{
    struct h1_source *s = source;

    if (!n)
        return;
    body_consume(&s->body, n);
    source_drop(s, n);
}

const struct source_ops h1_source_ops = {source_peek, source_consume};

void h1_sink_init(struct h1_sink *s, struct conn *conn, bool chunked)
{
    *s = (struct h1_sink){.conn = conn, .chunked = chunked};
}

void h1_sink_ends(struct h1_sink *s, uint64_t length)
{
    s->ends = true;
    s->left = length;
}

static bool open_chunk(struct h1_sink *s, size_t size)
{
    char line[CHUNK_LINE_SIZE];

    if (!conn_queue(s->conn, slice_of(line, write_chunk_line(line, size)))) {
        conn_give_up(s->conn);
        return false;
    }
    s->chunk_left = size;
    return true;
}

/* Small payload with more behind it waits in the buffer for one send with what follows. */
static bool gather(struct h1_sink *s, struct slice data)
{
    struct conn *c = s->conn;

    if (data.len > GATHER_MAX || s->chunk_left || c->blocked || c->unwritable)
        return false;
    if (c->out.data && buf_room(&c->out) < data.len + CHUNK_LINE_SIZE + 2)
        return false;
    if (s->chunked && !open_chunk(s, data.len))
        return false;
    if (!conn_queue(c, data) || (s->chunked && !conn_queue(c, SLICE("\r\n"))))
        conn_give_up(c);
    s->chunk_left = 0;
    return true;
}

static size_t send_plain(struct h1_sink *s, struct slice data, bool more)
{
    size_t sent;

    if (s->ends && data.len >= s->left)
        s->conn->transport.ending = true;
    sent = more && gather(s, data) ? data.len : conn_write(s->conn, data, SLICE(""));
    if (s->ends && s->left != UINT64_MAX)
        s->left -= sent;
    return sent;
}

static SELDOM size_t send_chunk(struct h1_sink *s, struct slice data, bool more)
{
    size_t sent;

    if (more && gather(s, data))
        return data.len;
    if (s->conn->blocked || s->conn->unwritable)
        return 0;
    if (!s->chunk_left && !open_chunk(s, data.len))
        return 0;
    if (data.len > s->chunk_left)
        data.len = s->chunk_left;
    sent = conn_write(s->conn, data, data.len == s->chunk_left ? SLICE("\r\n") : SLICE(""));
    s->chunk_left -= sent;
    return sent;
}

static size_t sink_send(void *sink, struct slice data, bool more)
{
    struct h1_sink *s = sink;

    return s->chunked ? send_chunk(s, data, more) : send_plain(s, data, more);
}

static SELDOM void end_chunks(struct conn *c, const struct http_head *trailers)
{
    bool ok = conn_queue(c, SLICE("0\r\n"));

    for (unsigned i = 0; ok && trailers && i < trailers->field_count; i++)
        ok = conn_queue(c, trailers->fields[i].name) && conn_queue(c, SLICE(": ")) &&
             conn_queue(c, trailers->fields[i].value) && conn_queue(c, SLICE("\r\n"));
    if (!ok || !conn_queue(c, SLICE("\r\n")))
        conn_give_up(c);
}

static void sink_end(void *sink, const struct http_head *trailers)
{
    struct h1_sink *s = sink;

    if (s->ends)
        s->conn->transport.ending = true;
    if (s->chunked)
        end_chunks(s->conn, trailers);
}

static enum relay_state sink_flush(void *sink)
{
    struct conn *c = ((struct h1_sink *)sink)->conn;

    if (conn_has_unsent(c))
        conn_flush(c);
    if (c->unwritable)
        return RELAY_BROKEN;
    return c->blocked ? RELAY_BLOCKED : RELAY_DONE;
}

const struct sink_ops h1_sink_ops = {sink_send, sink_end, sink_flush};
