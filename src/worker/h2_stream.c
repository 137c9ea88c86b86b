#include "worker/h2_stream.h"

#include "worker/h2_session.h"
#include "worker/worker_state.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

enum { LATER_MAX = 8 };

/* What arrives is put into conn->in as it comes; reading only says whether something did. */
static enum io stream_read(struct transport *t, void *to, size_t size, size_t *n)
{
    struct h2_stream *st = t->state;

    (void)to;
    (void)size;
    *n = 0;
    return st->conn->broken ? IO_ERROR : IO_OK;
}

static enum io stream_write(struct transport *t, const struct iovec *iov, int count, size_t *n)
{
    struct h2_stream *st = t->state;

    *n = 0;
    for (int i = 0; i < count; i++) {
        size_t taken = h2_stream_send(st, slice_of(iov[i].iov_base, iov[i].iov_len), false);

        *n += taken;
        if (taken < iov[i].iov_len)
            break;
    }
    return IO_OK;
}

static void stream_shutdown(struct transport *t)
{
    h2_stream_end(t->state, NULL);
    (void)h2_stream_end_composed(t->state);
}

/* Events come as they happen; nobody has to wait for them. */
static void stream_wait(struct transport *t, int events)
{
    (void)t;
    (void)events;
}

/* A client whose answer is whole before its request is may end that in its own time, as far as its window goes: a reset right
 * behind the answer makes some of them throw it away, against RFC 9113 8.1. on_data_chunk ends it with the window. */
static bool lingers(const struct h2_stream *st, bool abort)
{
    return st->session->role == H2_SERVER && st->sent_end && !abort &&
           nghttp2_session_get_stream_local_window_size(st->session->ng, st->id) > 0;
}

static uint32_t end_code(const struct h2_stream *st, bool abort)
{
    if (st->session->role == H2_CLIENT)
        return NGHTTP2_CANCEL;
    if (abort)
        return NGHTTP2_INTERNAL_ERROR;
    return st->sent_end ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL;
}

static void drop_later(struct h2_stream *st, struct block_pool *blocks)
{
    struct h2_later *first = st->later;

    st->later = first->next;
    block_pool_release(blocks, &first->fields.text);
    free(first);
}

static void stream_close(struct transport *t, bool abort)
{
    struct h2_stream *st = t->state;
    struct h2_session *s = st->session;
    struct block_pool *blocks = &s->conn->worker->blocks;

    if (!st->gone && st->id) {
        nghttp2_session_set_stream_user_data(s->ng, st->id, NULL);
        if (!(st->sent_end && st->ended) && !lingers(st, abort))
            h2_session_check(s, nghttp2_submit_rst_stream(s->ng, NGHTTP2_FLAG_NONE, st->id, end_code(st, abort)));
    }
    if (st->received > st->credited)
        h2_session_check(s, nghttp2_session_consume_connection(s->ng, (size_t)(st->received - st->credited)));
    block_pool_release(blocks, &st->head.text);
    while (st->later)
        drop_later(st, blocks);
    block_pool_release(blocks, &st->trailers);
    list_remove(&st->link);
    list_remove(&st->ready);
    list_remove(&st->waiting);
    s->stream_count--;
    st->session = NULL;
    h2_session_touch(s);
}

static const struct transport_ops stream_ops = {
    .read = stream_read,
    .write = stream_write,
    .shutdown = stream_shutdown,
    .close = stream_close,
    .wait = stream_wait,
};

void h2_stream_open(struct h2_stream *st, struct h2_session *s, int32_t id, struct conn *conn,
                    struct transport *transport)
{
    *st = (struct h2_stream){.session = s, .conn = conn, .id = id, .left = UINT64_MAX, .expected = UINT64_MAX};
    list_init(&st->ready);
    list_init(&st->waiting);
    list_init(&st->link);
    list_push_back(&s->streams, &st->link);
    s->stream_count++;
    s->stream_total++;
    if (id)
        nghttp2_session_set_stream_user_data(s->ng, id, st);
    *transport = (struct transport){.ops = &stream_ops, .fd = -1, .state = st, .open = true};
}

void h2_stream_tell(struct h2_stream *st, int events)
{
    st->events |= events;
    if (list_empty(&st->ready))
        list_push_back(&st->session->ready, &st->ready);
}

void h2_stream_credit(struct h2_stream *st, size_t n)
{
    int error;

    st->credited += n;
    if (st->gone || st->ended)
        error = nghttp2_session_consume_connection(st->session->ng, n);
    else
        error = nghttp2_session_consume(st->session->ng, st->id, n);
    h2_session_check(st->session, error);
    h2_session_touch(st->session);
}

static bool has_unread(const struct h2_stream *st)
{
    return st->head.text.data && st->head.count;
}

void h2_stream_add_head(struct h2_stream *st, struct h2_fields *fields)
{
    struct block_pool *blocks = &st->session->conn->worker->blocks;
    struct h2_fields *to = &st->head;

    if (UNLIKELY(has_unread(st))) {
        struct h2_later **end = &st->later, *last = NULL, *added = NULL;
        unsigned count = 0;

        for (; *end; end = &last->next, count++)
            last = *end;
        if (count < LATER_MAX)
            added = *end = calloc(1, sizeof(*added));
        /* The one that is dropped was a 1xx, as another head follows it. */
        to = added ? &added->fields : last ? &last->fields : &st->head;
    }
    block_pool_release(blocks, &to->text);
    *to = *fields;
    *fields = (struct h2_fields){0};
}

bool h2_stream_next_head(struct h2_stream *st)
{
    if (UNLIKELY(st->later) && !has_unread(st)) {
        struct block_pool *blocks = &st->session->conn->worker->blocks;
        struct h2_fields next = st->later->fields;

        st->later->fields = (struct h2_fields){0};
        drop_later(st, blocks);
        block_pool_release(blocks, &st->head.text);
        st->head = next;
    }
    return has_unread(st);
}
