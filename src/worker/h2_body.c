#include "worker/h2_body.h"

#include "worker/h2_session.h"
#include "worker/worker_state.h"

static size_t unmoved(const struct h2_stream *st)
{
    return buf_len(&st->conn->in) - st->kept;
}

void h2_source_rewind(struct h2_stream *st)
{
    CHECK(!st->streaming);
    st->kept = 0;
    st->trailers_read = false;
}

bool h2_source_done(const struct h2_stream *st)
{
    return st->ended && unmoved(st) == 0 && (!st->trailers.data || st->trailers_read);
}

static void drop(struct h2_stream *st, size_t n)
{
    buf_consume(&st->conn->in, n);
    h2_stream_credit(st, n);
}

void h2_source_stream(struct h2_stream *st)
{
    st->streaming = true;
    drop(st, st->kept);
    st->kept = 0;
}

/* The peer may send no more than half a window until moved bytes are dropped. */
static void stream_if_full(struct h2_stream *st)
{
    if (!st->streaming && st->kept > H2_STREAM_WINDOW / 2 && st->expected > H2_STREAM_WINDOW)
        h2_source_stream(st);
}

static enum body_state source_peek(void *source, struct slice *payload, bool *more)
{
    struct h2_stream *st = source;
    struct buf *in = &st->conn->in;

    *more = false;
    if (unmoved(st)) {
        *payload = slice_of(buf_head(in) + st->kept, unmoved(st));
        *more = st->ended && st->expected == UINT64_MAX;
        return BODY_DATA;
    }
    *payload = SLICE("");
    if (!st->ended) {
        stream_if_full(st);
        return BODY_WANT;
    }
    if (!st->trailers.data || st->trailers_read)
        return BODY_END;
    *payload = slice_of(buf_head(&st->trailers), buf_len(&st->trailers));
    return BODY_TRAILERS;
}

static void source_consume(void *source, size_t n)
{
    struct h2_stream *st = source;

    if (!n)
        return;
    if (!unmoved(st))
        st->trailers_read = true;
    else if (st->streaming)
        drop(st, n);
    else
        st->kept += (uint32_t)n;
}

const struct source_ops h2_source_ops = {source_peek, source_consume};

static size_t sink_send(void *sink, struct slice data, bool more)
{
    struct h2_stream *st = sink;
    size_t taken;

    (void)more;
    if (data.len > st->left)
        data.len = st->left;
    taken = h2_stream_send(st, data, data.len == st->left);
    st->conn->sent += taken;
    if (st->left != UINT64_MAX)
        st->left -= taken;
    return taken;
}

static void sink_end(void *sink, const struct http_head *trailers)
{
    h2_stream_end(sink, trailers);
}

static enum relay_state sink_flush(void *sink)
{
    struct h2_stream *st = sink;

    if (st->conn->unwritable)
        return RELAY_BROKEN;
    if (st->conn->blocked)
        return RELAY_BLOCKED;
    if (st->ending && !h2_stream_end_composed(st))
        return RELAY_BLOCKED;
    h2_session_touch(st->session);
    return RELAY_DONE;
}

const struct sink_ops h2_sink_ops = {sink_send, sink_end, sink_flush};
