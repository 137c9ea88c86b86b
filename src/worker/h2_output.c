#include "worker/h2_session.h"

#include "worker/h2_stream.h"
#include "worker/memory.h"

#include <nghttp2/nghttp2.h>

/* ---- room */

/* A large block, or, where memory is short, the one that is there or a small one. */
static bool take_block(struct conn *c)
{
    struct block_pool *blocks = &c->worker->blocks;

    if (!memory_is_short(c->worker))
        return block_pool_enlarge(blocks, &c->out);
    if (!block_pool_take(blocks, &c->out))
        return false;
    buf_compact(&c->out);
    return true;
}

size_t h2_output_room(struct h2_session *s)
{
    struct conn *c = s->conn;

    if (!take_block(c)) {
        c->unwritable = true;
        return 0;
    }
    return buf_room(&c->out);
}

bool h2_output_make_room(struct h2_session *s, size_t size)
{
    if (s->conn->unwritable)
        return false;
    if (h2_output_room(s) >= size)
        return true;
    conn_flush(s->conn);
    return !s->conn->unwritable && h2_output_room(s) >= size;
}

/* ---- composing */

/* What nghttp2 has composed goes to the block. False: there is more than room. */
static bool put_left(struct h2_session *s)
{
    size_t n = s->left.len;

    if (!n)
        return true;
    if (!h2_output_make_room(s, n)) {
        n = s->conn->unwritable ? 0 : h2_output_room(s);
        n = n < s->left.len ? n : s->left.len;
    }
    if (n)
        CHECK(buf_append(&s->conn->out, s->left.data, n));
    s->left = slice_skip(s->left, n);
    return s->left.len == 0;
}

void h2_output_compose(struct h2_session *s)
{
    const uint8_t *data;
    ssize_t n;

    if (s->composing)
        return;
    s->composing = true;
    while (put_left(s)) {
        n = nghttp2_session_mem_send(s->ng, &data);
        if (n <= 0) {
            s->conn->unwritable = s->conn->unwritable || n < 0;
            break;
        }
        s->left = slice_of((const char *)data, (size_t)n);
    }
    s->composing = false;
}

/* What goes out: reasons for the peer's frames, and its mistakes, which are as dear as its resets. */
static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct h2_session *s = arg;
    const struct settings *settings = worker_settings(s->conn->worker);
    struct h2_stream *st;
    uint32_t code;

    (void)ng;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        st = h2_session_stream(s, frame->hd.stream_id);
        if (!st)
            break;
        st->sent_head = true;
        st->heads -= st->heads > 0; /* trailers are not counted */
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
            h2_stream_note_end(st);
        break;
    case NGHTTP2_DATA:
        frame_flood_earn(&s->updates, (uint32_t)settings->h2_control_frames, H2_UPDATES_EARNED);
        break;
    case NGHTTP2_RST_STREAM:
        s->reset_ids[s->reset_at++ % H2_RESETS_KEPT] = frame->hd.stream_id;
        code = frame->rst_stream.error_code;
        if (s->role == H2_CLIENT) {
            st = h2_session_stream(s, frame->hd.stream_id);
            if (st)
                st->malformed = true;
        } else if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL &&
            frame_flood_add(&s->resets, (uint32_t)settings->h2_resets, s->conn->worker->now_us))
            h2_session_fail(s, CLOSE_CLIENT_FLOODS, NGHTTP2_ENHANCE_YOUR_CALM);
        break;
    case NGHTTP2_GOAWAY:
        if (frame->goaway.error_code != NGHTTP2_NO_ERROR && !s->over)
            s->over = CLOSE_CLIENT_PROTOCOL;
        break;
    default:
        break;
    }
    return 0;
}

void h2_output_callbacks(nghttp2_session_callbacks *callbacks)
{
    h2_send_callbacks(callbacks);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
}

/* ---- whose turn it is */

/* Wakes as many of those that wait as can send something. */
static void wake(struct h2_session *s)
{
    int32_t window = nghttp2_session_get_remote_window_size(s->ng);
    size_t can;

    if (list_empty(&s->waiting) || s->conn->blocked || s->conn->unwritable || window <= 0)
        return;
    can = (size_t)window < WORKER_LARGE_BLOCK ? (size_t)window : WORKER_LARGE_BLOCK;
    for (size_t n = (can + H2_FRAME_SIZE - 1) / H2_FRAME_SIZE; n && !list_empty(&s->waiting); n--) {
        struct h2_stream *st = CONTAINER_OF(s->waiting.next, struct h2_stream, waiting);

        list_remove(&st->waiting);
        st->woken = true;
        h2_stream_tell(st, EV_WRITE);
    }
}

void h2_output_settle(struct h2_session *s)
{
    do {
        h2_session_run_ready(s);
        h2_output_compose(s);
        if (!s->conn->blocked)
            conn_flush(s->conn);
        if (!s->over)
            wake(s);
    } while (!list_empty(&s->ready));
    if (s->conn->unwritable && !s->over)
        s->over = CLOSE_CLIENT_GONE;
    if (!s->over && !nghttp2_session_want_read(s->ng) && !nghttp2_session_want_write(s->ng))
        s->over = s->peer_leaves ? CLOSE_CLIENT_DONE : s->leave ? CLOSE_CLIENT_LAST : CLOSE_CLIENT_PROTOCOL;
    ev_clear_pending(s->conn->worker->loop, &s->turn);
}
