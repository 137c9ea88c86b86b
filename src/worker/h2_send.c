#include "worker/h2_stream.h"

#include "http/write.h"
#include "worker/h2_session.h"
#include "worker/worker_state.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>

enum {
    FRAME_HEAD = 9,
    ROOM_MIN = 1024,               /* less room than that is not worth a frame, unless it takes all */
    NV_MAX = FIELD_LIST_MAX + 5,   /* with pseudo-header fields and content-length */
    INTERIMS_MAX = 8               /* 1xx heads of a stream that wait for room */
};

/* ---- bodies */

/* Its owner may wait for nothing else any more. */
void h2_stream_note_end(struct h2_stream *st)
{
    st->sent_end = true;
    if (st->conn->blocked)
        h2_stream_tell(st, EV_WRITE);
}

/* nghttp2 can send data of a stream. How much? */
static ssize_t on_data_wanted(nghttp2_session *ng, int32_t id, uint8_t *buffer, size_t most, uint32_t *flags,
                              nghttp2_data_source *source, void *arg)
{
    struct h2_session *s = arg;
    struct h2_stream *st = h2_session_stream(s, id);
    size_t n;

    (void)ng;
    (void)buffer;
    (void)source;
    if (!st)
        return NGHTTP2_ERR_DEFERRED;
    n = st->offer.len < most ? st->offer.len : most;
    if ((!n && !st->last) ||
        (!h2_output_make_room(s, FRAME_HEAD + n) && h2_output_room(s) < ROOM_MIN)) {
        st->deferred = true;
        if (!st->offer.data && st->conn->blocked && list_empty(&st->waiting)) /* its window has opened */
            list_push_back(&s->waiting, &st->waiting);
        return NGHTTP2_ERR_DEFERRED;
    }
    if (n > h2_output_room(s) - FRAME_HEAD)
        n = h2_output_room(s) - FRAME_HEAD;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (st->last && n == st->offer.len) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        h2_stream_note_end(st);
    }
    return (ssize_t)n;
}

static int on_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *head, size_t len,
                        nghttp2_data_source *source, void *arg)
{
    struct h2_session *s = arg;
    struct h2_stream *st = h2_session_stream(s, frame->hd.stream_id);
    struct buf *out = &s->conn->out;

    (void)ng;
    (void)source;
    CHECK(st && st->offer.len >= len && !frame->data.padlen);
    CHECK(buf_append(out, head, FRAME_HEAD) && buf_append(out, st->offer.data, len));
    if (len) /* else there may be nothing offered but the end */
        st->offer = slice_skip(st->offer, len);
    s->sent_ms = s->conn->worker->now_ms;
    s->body_sent += len;
    return 0;
}

void h2_send_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
}

bool h2_stream_awaits_turn(const struct h2_stream *st, uint64_t within_ms)
{
    const struct h2_session *s = st->session;

    return !list_empty(&st->waiting) && s->conn->worker->now_ms - s->sent_ms < within_ms;
}

/* Not everything was taken. A stream whose own window is closed waits within nghttp2, if that was asked; one that sent nothing
 * keeps its turn. */
static void block(struct h2_stream *st, bool sent)
{
    struct h2_session *s = st->session;

    st->conn->blocked = true;
    if (!st->deferred && nghttp2_session_get_stream_remote_window_size(s->ng, st->id) <= 0)
        return;
    list_remove(&st->waiting);
    if (sent || !st->woken)
        list_push_back(&s->waiting, &st->waiting);
    else
        list_push_front(&s->waiting, &st->waiting);
}

static void offer(struct h2_stream *st, struct slice data, bool last)
{
    st->offer = data;
    st->last = last;
    if (st->deferred) {
        st->deferred = false;
        h2_session_check(st->session, nghttp2_session_resume_data(st->session->ng, st->id));
    }
    h2_output_compose(st->session);
}

size_t h2_stream_send(struct h2_stream *st, struct slice data, bool last)
{
    struct h2_session *s = st->session;
    size_t all = data.len, taken = 0;

    if (st->conn->blocked || st->conn->unwritable)
        return 0;
    if (data.len > H2_FRAME_SIZE && !list_empty(&s->waiting)) {
        data.len = H2_FRAME_SIZE;
        last = false;
    }
    if (nghttp2_session_get_remote_window_size(s->ng) > 0) {
        offer(st, data, last);
        taken = data.len - st->offer.len;
        st->offer = slice_of(NULL, 0);
        st->last = st->sent_end;
    }
    if (taken < all)
        block(st, taken > 0);
    st->woken = false;
    h2_session_touch(s);
    return taken;
}

/* ---- heads and trailers */

static nghttp2_nv pair(struct slice name, struct slice value)
{
    return (nghttp2_nv){(uint8_t *)name.data, (uint8_t *)value.data, name.len, value.len, NGHTTP2_NV_FLAG_NONE};
}

int h2_stream_respond(struct h2_stream *st, int status, const struct field_list *fields,
                      uint64_t content_length, bool final, bool ends)
{
    nghttp2_session *ng = st->session->ng;
    nghttp2_data_provider provider = {{.ptr = NULL}, on_data_wanted};
    nghttp2_nv nv[NV_MAX];
    char status_digits[WRITE_DIGITS], length_digits[WRITE_DIGITS];
    size_t count = 0;
    int error;

    CHECK(status >= 100 && status <= 999);
    if (!final && st->heads >= INTERIMS_MAX)
        return 0;
    nv[count++] = pair(SLICE(":status"), write_digits(status_digits, (uint64_t)status));
    for (unsigned i = 0; i < fields->count; i++)
        nv[count++] = pair(fields->field[i].name, fields->field[i].value);
    if (content_length != UINT64_MAX)
        nv[count++] = pair(SLICE("content-length"), write_digits(length_digits, content_length));
    if (final)
        error = nghttp2_submit_response(ng, st->id, nv, count, ends ? NULL : &provider);
    else
        error = nghttp2_submit_headers(ng, NGHTTP2_FLAG_NONE, st->id, NULL, nv, count, NULL);
    st->heads++;
    h2_session_touch(st->session);
    return h2_session_check(st->session, error) ? -EIO : 0;
}

/* Host is :authority here. */
static bool is_left_out(struct slice name)
{
    switch (http_field_id(name)) {
    case FIELD_HOST:
    case FIELD_CONNECTION:
    case FIELD_KEEP_ALIVE:
    case FIELD_PROXY_CONNECTION:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_UPGRADE:
        return true;
    default:
        return false;
    }
}

int h2_stream_request(struct h2_stream *st, const struct h2_target *target, const struct field_list *fields,
                      uint64_t content_length, bool ends)
{
    nghttp2_data_provider provider = {{.ptr = NULL}, on_data_wanted};
    nghttp2_nv nv[NV_MAX];
    char digits[WRITE_DIGITS];
    size_t count = 0;

    nv[count++] = pair(SLICE(":method"), target->method);
    nv[count++] = pair(SLICE(":scheme"), target->scheme);
    nv[count++] = pair(SLICE(":authority"), target->authority);
    nv[count++] = pair(SLICE(":path"), target->path);
    for (unsigned i = 0; i < fields->count; i++)
        if (!is_left_out(fields->field[i].name))
            nv[count++] = pair(fields->field[i].name, fields->field[i].value);
    if (content_length != UINT64_MAX)
        nv[count++] = pair(SLICE("content-length"), write_digits(digits, content_length));
    st->id = nghttp2_submit_request(st->session->ng, NULL, nv, count, ends ? NULL : &provider, st);
    h2_session_touch(st->session);
    if (st->id > 0)
        return 0;
    h2_session_check(st->session, st->id);
    st->id = 0;
    return -EIO;
}

/* Trailers need no window: everything before them was composed. */
void h2_stream_end(struct h2_stream *st, const struct http_head *trailers)
{
    nghttp2_nv nv[HTTP_FIELDS_MAX];

    if (st->sent_end || st->ending)
        return;
    st->ending = true;
    if (!trailers) {
        st->last = true;
        return;
    }
    st->trailing = true;
    for (unsigned i = 0; i < trailers->field_count; i++)
        nv[i] = pair(trailers->fields[i].name, trailers->fields[i].value);
    if (h2_session_check(st->session, nghttp2_submit_trailer(st->session->ng, st->id, nv, trailers->field_count)))
        st->conn->unwritable = true;
}

bool h2_stream_end_composed(struct h2_stream *st)
{
    if (st->sent_end || st->conn->unwritable)
        return true;
    if (st->last && !st->trailing)
        offer(st, slice_of(NULL, 0), true);
    else
        h2_output_compose(st->session);
    h2_session_touch(st->session);
    if (!st->sent_end)
        block(st, false);
    return st->sent_end;
}
