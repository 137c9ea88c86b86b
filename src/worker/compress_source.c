#include "worker/compress_source.h"

#include "base/clock.h"
#include "worker/origin.h"
#include "worker/request.h"

#include <stdlib.h>

enum { PIECE = 16 * 1024 }; /* most bytes fed at a time: the clock is looked at in between */

/* How far one step came. */
enum fill {
    FILL_MORE,  /* there may be more to do */
    FILL_FULL,  /* no room for output */
    FILL_TIRED, /* no time */
    FILL_WANT,  /* nothing to encode now */
    FILL_END,   /* all is in out */
    FILL_BAD
};

/* Something was taken off the queue: its turn has come. While more is there to be read, that is encoded first. */
static void run_later(struct later *later)
{
    struct compress_source *s = (struct compress_source *)later;
    struct request *rq = s->request;

    if (!s->tired && rq->origin && conn_is_due(&rq->origin->conn)) {
        compressor_later(s->compressor, later);
        return;
    }
    s->flush = true;
    request_go_on(rq);
}

struct compress_source *compress_source_new(struct request *rq, struct compressor *c, struct encoder *e)
{
    struct compress_source *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    list_init(&s->later.link);
    s->later.run = run_later;
    s->request = rq;
    s->compressor = c;
    s->encoder = e;
    return s;
}

void compress_source_free(struct compress_source **sp)
{
    struct compress_source *s = *sp;

    *sp = NULL;
    if (!s)
        return;
    list_remove(&s->later.link);
    compressor_give(s->compressor, &s->encoder);
    block_pool_release(&s->request->worker->blocks, &s->out);
    free(s);
}

/* Carries the order out as far as there is room. */
static enum fill encode(struct compress_source *s, struct slice in)
{
    uint64_t start_us = clock_us();
    size_t before = in.len, written;
    enum encode result = encoder_run(s->encoder, s->order, &in, buf_tail(&s->out), buf_room(&s->out), &written);

    compressor_spent(s->compressor, clock_us() - start_us);
    if (result == ENCODE_BAD)
        return FILL_BAD;
    s->out.end += (uint32_t)written;
    if (s->order == ENCODER_FEED) {
        s->from->consume(s->source, before - in.len);
        s->taken += before - in.len;
        s->unflushed = true;
        s->flush = false;
        return FILL_MORE;
    }
    s->busy = result == ENCODE_FULL;
    s->finished = !s->busy && s->order == ENCODER_FINISH;
    s->unflushed = s->busy;
    return FILL_MORE;
}

/* What the state of the body calls for. FILL_MORE: an order, with *in to feed. */
static enum fill next_order(struct compress_source *s, struct slice *in)
{
    bool more;

    switch (s->from->peek(s->source, in, &more)) {
    case BODY_DATA:
        s->order = ENCODER_FEED;
        if (in->len > PIECE)
            in->len = PIECE;
        return FILL_MORE;
    case BODY_WANT:
        if (!s->unflushed || !s->flush)
            return FILL_WANT;
        s->order = ENCODER_FLUSH;
        break;
    case BODY_TRAILERS:
    case BODY_END:
        s->order = ENCODER_FINISH;
        break;
    case BODY_BAD:
        return FILL_BAD;
    }
    *in = SLICE("");
    return FILL_MORE;
}

static enum fill fill_step(struct compress_source *s)
{
    struct slice in = SLICE("");
    enum fill next = FILL_MORE;

    if (s->finished)
        return FILL_END;
    if (!s->busy)
        next = next_order(s, &in);
    if (next != FILL_MORE)
        return next;
    if (!block_pool_take(&s->request->worker->blocks, &s->out))
        return FILL_BAD;
    if (buf_room(&s->out) < ENCODER_ROOM_MIN)
        return FILL_FULL;
    return compressor_has_time(s->compressor) ? encode(s, in) : FILL_TIRED;
}

static enum body_state source_peek(void *arg, struct slice *payload, bool *more)
{
    struct compress_source *s = arg;
    enum fill fill;

    do
        fill = fill_step(s);
    while (fill == FILL_MORE);
    s->tired = fill == FILL_TIRED;
    if (fill == FILL_BAD)
        return BODY_BAD;
    if (buf_len(&s->out)) {
        *payload = slice_of(buf_head(&s->out), buf_len(&s->out));
        *more = fill == FILL_END || fill == FILL_FULL;
        return BODY_DATA;
    }
    block_pool_release(&s->request->worker->blocks, &s->out);
    return fill == FILL_END ? s->from->peek(s->source, payload, more) : BODY_WANT;
}

static void source_consume(void *arg, size_t n)
{
    struct compress_source *s = arg;

    if (buf_len(&s->out)) {
        buf_consume(&s->out, n);
        s->given += n;
    } else {
        s->from->consume(s->source, n);
    }
}

static const struct source_ops compress_source_ops = {source_peek, source_consume};

void compress_source_open(struct compress_source *s, struct relay *r)
{
    s->from = r->from;
    s->source = r->source;
    r->from = &compress_source_ops;
    r->source = s;
}

bool compress_source_goes_on(struct compress_source *s)
{
    if (s->tired || s->unflushed)
        compressor_later(s->compressor, &s->later);
    return s->tired;
}
