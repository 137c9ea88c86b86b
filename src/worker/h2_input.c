#include "worker/h2_session.h"

#include "worker/h2_stream.h"
#include "worker/worker_state.h"

#include <nghttp2/nghttp2.h>

enum {
    BOMB_FACTOR = 4,      /* a head this many times as large as allowed is not even decoded to its end */
    FRAMES_QUEUED = 1024, /* that may wait to be sent */
    FRAMES_OF_STREAM = 4  /* and so many more for each stream */
};

/* ---- what nghttp2 tells of what came. Nothing is run from here. */

static int too_many(struct h2_session *s)
{
    h2_session_fail(s, CLOSE_CLIENT_FLOODS, NGHTTP2_ENHANCE_YOUR_CALM);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int broken_rule(struct h2_session *s, uint32_t code)
{
    h2_session_fail(s, CLOSE_CLIENT_PROTOCOL, code);
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static bool was_reset(const struct h2_session *s, int32_t id)
{
    for (int i = 0; i < H2_RESETS_KEPT; i++)
        if (s->reset_ids[i] == id)
            return true;
    return false;
}

/* Nothing may come for a stream that is over, but what was on its way when we reset it (5.1). nghttp2 ignores it all. */
static int check_stream(struct h2_session *s, const nghttp2_frame_hd *hd)
{
    bool all_opened = (uint64_t)s->newest == 2 * s->stream_total - 1;

    if (s->role == H2_CLIENT || hd->stream_id % 2 == 0)
        return 0;
    if (hd->stream_id > s->newest) {
        if (hd->type == NGHTTP2_HEADERS)
            s->newest = hd->stream_id;
        return 0;
    }
    if (nghttp2_session_find_stream(s->ng, hd->stream_id) || was_reset(s, hd->stream_id))
        return 0;
    return broken_rule(s, all_opened ? NGHTTP2_STREAM_CLOSED : NGHTTP2_PROTOCOL_ERROR);
}

/* Does it make us say more than it reads? Refusals and resets wait within nghttp2, and are counted as they leave. */
static bool is_deaf(const struct h2_session *s, const struct settings *settings)
{
    return nghttp2_session_get_outbound_queue_size(s->ng) > FRAMES_QUEUED + FRAMES_OF_STREAM * settings->h2_max_streams;
}

/* Counts what costs work and carries nothing. A backend was chosen by a service, and has its reasons. */
static int on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *hd, void *arg)
{
    struct h2_session *s = arg;
    const struct settings *settings = worker_settings(s->conn->worker);
    uint32_t control = (uint32_t)settings->h2_control_frames, resets = (uint32_t)settings->h2_resets;
    uint64_t now_us = s->conn->worker->now_us;

    (void)ng;
    if (s->role == H2_CLIENT)
        return 0;
    if (is_deaf(s, settings))
        return too_many(s);
    switch (hd->type) {
    case NGHTTP2_HEADERS:
        frame_flood_earn(&s->updates, control, H2_UPDATES_EARNED);
        return check_stream(s, hd);
    case NGHTTP2_CONTINUATION:
        return 0;
    case NGHTTP2_DATA:
        if (hd->length || (hd->flags & NGHTTP2_FLAG_END_STREAM))
            return check_stream(s, hd);
        break;
    case NGHTTP2_PRIORITY:
        if (hd->stream_id == 0)
            return broken_rule(s, NGHTTP2_PROTOCOL_ERROR);
        break;
    case NGHTTP2_RST_STREAM:
        return frame_flood_add(&s->resets, resets, now_us) ? too_many(s) : 0;
    case NGHTTP2_WINDOW_UPDATE:
        return frame_flood_add(&s->updates, control, now_us) ? too_many(s) : 0;
    default:
        break;
    }
    return frame_flood_add(&s->control, control, now_us) ? too_many(s) : 0;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct h2_session *s = arg;

    (void)ng;
    s->heading = frame->hd.stream_id;
    s->heading_size = 0;
    s->fields.text.start = s->fields.text.end = 0;
    s->fields.count = s->fields.size = 0;
    s->fields.too_big = false;
    s->limits = worker_limits(s->conn->worker);
    if (block_pool_take(&s->conn->worker->blocks, &s->fields.text))
        return 0;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *arg)
{
    struct h2_session *s = arg;

    (void)ng;
    (void)frame;
    (void)flags;
    s->heading_size += name_len + value_len;
    if (s->heading_size > (size_t)BOMB_FACTOR * s->limits.head_size)
        return too_many(s);
    h2_fields_add(&s->fields, slice_of((const char *)name, name_len),
                  slice_of((const char *)value, value_len), &s->limits);
    return 0;
}

static int on_invalid_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                             size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                             void *arg)
{
    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    h2_session_check(arg, nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                                          NGHTTP2_PROTOCOL_ERROR));
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void reset(struct h2_session *s, int32_t id, uint32_t code)
{
    h2_session_check(s, nghttp2_submit_rst_stream(s->ng, NGHTTP2_FLAG_NONE, id, code));
}

static void take_head(struct h2_session *s, struct h2_stream *st, bool ends)
{
    h2_stream_add_head(st, &s->fields);
    st->bodyless = ends;
}

static bool take_trailers(struct h2_session *s, struct h2_stream *st)
{
    return block_pool_take(&s->conn->worker->blocks, &st->trailers) &&
           h2_trailer_section(&s->fields, &st->trailers);
}

/* A head or trailers are complete. */
static void on_headers(struct h2_session *s, const nghttp2_frame *frame)
{
    bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    struct h2_stream *st;

    s->heading = 0;
    if (s->over)
        return;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        st = s->owner->accept(s, frame->hd.stream_id, &s->fields, ends);
        if (!st) {
            reset(s, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
            return;
        }
    } else {
        st = h2_session_stream(s, frame->hd.stream_id);
        if (!st)
            return;
        if (s->role == H2_CLIENT && h2_fields_are_head(&s->fields))
            take_head(s, st, ends);
        else if (!take_trailers(s, st))
            reset(s, st->id, NGHTTP2_PROTOCOL_ERROR);
    }
    st->ended = st->ended || ends;
    h2_stream_tell(st, EV_READ);
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *arg)
{
    struct h2_session *s = arg;
    struct h2_stream *st;

    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        on_headers(s, frame);
        break;
    case NGHTTP2_DATA:
        st = frame->hd.flags & NGHTTP2_FLAG_END_STREAM ? h2_session_stream(s, frame->hd.stream_id) : NULL;
        if (st) {
            st->ended = true;
            h2_stream_tell(st, EV_READ);
        }
        break;
    case NGHTTP2_SETTINGS:
        s->greeted = s->greeted || !(frame->hd.flags & NGHTTP2_FLAG_ACK);
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && memcmp(frame->ping.opaque_data, h2_ask_ping, H2_PING_SIZE) == 0)
            s->asked = false;
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && s->leave == H2_NOTICED &&
            memcmp(frame->ping.opaque_data, h2_leave_ping, H2_PING_SIZE) == 0)
            ev_feed_event(s->conn->worker->loop, &s->leave_timer, EV_TIMER);
        break;
    case NGHTTP2_GOAWAY:
        s->peer_leaves = true;
        break;
    default:
        break;
    }
    (void)ng;
    return 0;
}

/* Room for as much as the stream's window allows. */
static bool room_for(struct conn *c, size_t len)
{
    struct block_pool *blocks = &c->worker->blocks;

    if (!block_pool_take(blocks, &c->in))
        return false;
    if (buf_room(&c->in) < len && !block_pool_enlarge(blocks, &c->in))
        return false;
    return buf_room(&c->in) >= len;
}

/* Of a stream whose answer is out: the rest of its request has what is left of its window. */
static void pass_over(struct h2_session *s, int32_t id, size_t len)
{
    h2_session_check(s, nghttp2_session_consume_connection(s->ng, len));
    if (nghttp2_session_get_stream_local_window_size(s->ng, id) == 0)
        reset(s, id, NGHTTP2_NO_ERROR);
}

static int on_data_chunk(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                         void *arg)
{
    struct h2_session *s = arg;
    struct h2_stream *st = h2_session_stream(s, id);

    (void)ng;
    (void)flags;
    if (!st) {
        pass_over(s, id, len);
        return 0;
    }
    if (!room_for(st->conn, len) || !buf_append(&st->conn->in, data, len))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    st->received += len;
    h2_stream_tell(st, EV_READ);
    return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
    struct h2_session *s = arg;
    struct h2_stream *st = h2_session_stream(s, id);

    (void)ng;
    if (!st)
        return 0;
    st->gone = true;
    st->refused = code == NGHTTP2_REFUSED_STREAM;
    if (st->sent_end && st->ended)
        return 0;
    st->conn->unwritable = true;
    if (s->role == H2_SERVER || !st->ended) /* a backend's answer may be whole before the request is */
        st->conn->broken = true;
    h2_stream_tell(st, EV_READ);
    return 0;
}

void h2_input_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}
