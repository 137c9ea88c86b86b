#include "worker/h2_session.h"

#include "http/h2_mem.h"
#include "worker/h2_stream.h"
#include "worker/worker_state.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

enum {
    LEAVE_MS = 1000,         /* until a peer that answers no PING is taken to have seen the notice */
    CONTINUATIONS_MAX = 8,   /* frames of a head behind the first */
    SETTINGS_MAX = 32,       /* entries of a SETTINGS frame */
    ACKS_MAX = 256,          /* PINGs and SETTINGS not answered yet, as the peer does not read */
};

const uint8_t h2_ask_ping[H2_PING_SIZE] = {'t', 'h', 'e', 'r', 'e', '?', '.', '.'};
const uint8_t h2_leave_ping[H2_PING_SIZE] = {'l', 'e', 'a', 'v', 'i', 'n', 'g', '.'};

static const struct settings *settings_of(const struct h2_session *s)
{
    return worker_settings(s->conn->worker);
}

struct h2_stream *h2_session_stream(struct h2_session *s, int32_t id)
{
    return nghttp2_session_get_stream_user_data(s->ng, id);
}

/* ---- life */

static int new_session(struct h2_session *s, const nghttp2_session_callbacks *callbacks)
{
    nghttp2_option *option;
    int error = nghttp2_option_new(&option);

    if (error)
        return error;
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_settings(option, SETTINGS_MAX);
    nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
    nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX); /* on_begin_frame counts */
    error = s->role == H2_SERVER ? nghttp2_session_server_new3(&s->ng, callbacks, s, option, h2_mem())
                                 : nghttp2_session_client_new3(&s->ng, callbacks, s, option, h2_mem());
    nghttp2_option_del(option);
    return error;
}

static int make_session(struct h2_session *s)
{
    nghttp2_session_callbacks *callbacks;
    int error = nghttp2_session_callbacks_new(&callbacks);

    if (error)
        return error;
    h2_input_callbacks(callbacks);
    h2_output_callbacks(callbacks);
    error = new_session(s, callbacks);
    nghttp2_session_callbacks_del(callbacks);
    return error;
}

static int greet(struct h2_session *s)
{
    const struct settings *settings = settings_of(s);
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)settings->h2_max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)settings->head_size},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        s->role == H2_SERVER ? (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}
                             : (nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    };
    int error = nghttp2_submit_settings(s->ng, NGHTTP2_FLAG_NONE, entries, sizeof(entries) / sizeof(entries[0]));

    if (error)
        return error;
    /* Streams of a backend go to different clients: a slow one must not hold up the others. */
    return nghttp2_session_set_local_window_size(
        s->ng, NGHTTP2_FLAG_NONE, 0,
        s->role == H2_CLIENT ? H2_REQUESTS_MAX * H2_STREAM_WINDOW : H2_SESSION_WINDOW);
}

static void on_turn(struct ev_loop *loop, ev_io *io, int events)
{
    struct h2_session *s = CONTAINER_OF(io, struct h2_session, turn);

    (void)loop;
    (void)events;
    ASSERT_WORKER(s->conn->worker);
    h2_output_settle(s);
    s->owner->settled(s);
}

/* The peer has seen the notice, or had the time to. */
static void on_leave_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct h2_session *s = CONTAINER_OF(timer, struct h2_session, leave_timer);

    (void)events;
    ev_timer_stop(loop, timer);
    s->leave = H2_LEFT;
    h2_session_say_goodbye(s, NGHTTP2_NO_ERROR);
    h2_session_touch(s);
}

bool h2_session_open(struct h2_session *s, struct conn *conn, enum h2_role role,
                     const struct h2_owner *owner)
{
    *s = (struct h2_session){.conn = conn, .role = role, .owner = owner, .most = H2_REQUESTS_MAX};
    list_init(&s->streams);
    list_init(&s->ready);
    list_init(&s->waiting);
    ev_io_init(&s->turn, on_turn, -1, 0);
    ev_set_priority(&s->turn, EV_MINPRI);
    ev_timer_init(&s->leave_timer, on_leave_timer, LEAVE_MS / 1000., 0.);
    if (make_session(s) == 0 && greet(s) == 0) {
        h2_session_touch(s);
        return true;
    }
    nghttp2_session_del(s->ng);
    s->ng = NULL;
    return false;
}

void h2_session_close(struct h2_session *s)
{
    struct worker *w = s->conn->worker;

    CHECK(list_empty(&s->streams) && !s->composing);
    ev_clear_pending(w->loop, &s->turn);
    ev_timer_stop(w->loop, &s->leave_timer);
    block_pool_release(&w->blocks, &s->fields.text);
    nghttp2_session_del(s->ng);
    s->ng = NULL;
}

void h2_session_touch(struct h2_session *s)
{
    ev_feed_event(s->conn->worker->loop, &s->turn, EV_CUSTOM);
}

void h2_session_run_ready(struct h2_session *s)
{
    while (!list_empty(&s->ready)) {
        struct h2_stream *st = CONTAINER_OF(s->ready.next, struct h2_stream, ready);
        int events = st->events;

        list_remove(&st->ready);
        st->events = 0;
        ev_invoke(s->conn->worker->loop, &st->conn->io, events);
    }
}

/* Which end an error of nghttp2's is. */
static void fail_by(struct h2_session *s, int error)
{
    switch (error) {
    case NGHTTP2_ERR_FLOODED:
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
        h2_session_fail(s, CLOSE_CLIENT_FLOODS, NGHTTP2_ENHANCE_YOUR_CALM);
        break;
    case NGHTTP2_ERR_NOMEM:
    case NGHTTP2_ERR_CALLBACK_FAILURE:
        h2_session_fail(s, CLOSE_NO_MEMORY, NGHTTP2_INTERNAL_ERROR);
        break;
    default:
        h2_session_fail(s, CLOSE_CLIENT_PROTOCOL, NGHTTP2_PROTOCOL_ERROR);
    }
}

int h2_session_check(struct h2_session *s, int error)
{
    if (UNLIKELY(nghttp2_is_fatal(error)) && !s->over)
        fail_by(s, error);
    return error;
}

void h2_session_input(struct h2_session *s)
{
    struct buf *in = &s->conn->in;
    ssize_t n = 0;

    if (!s->over && buf_len(in))
        n = nghttp2_session_mem_recv(s->ng, (const uint8_t *)buf_head(in), buf_len(in));
    if (n < 0 && !s->over)
        fail_by(s, (int)n);
    block_pool_release(&s->conn->worker->blocks, in);
    if (!s->heading)
        block_pool_release(&s->conn->worker->blocks, &s->fields.text);
    /* A reset of nghttp2's own says that what came is malformed: before anybody sends it on. */
    if (UNLIKELY(nghttp2_session_want_write(s->ng)))
        h2_output_compose(s);
    h2_session_run_ready(s);
    h2_session_touch(s);
}

void h2_session_leave(struct h2_session *s)
{
    if (s->leave != H2_STAYS || s->over)
        return;
    s->leave = H2_NOTICED;
    h2_session_check(s, nghttp2_submit_shutdown_notice(s->ng));
    h2_session_check(s, nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, h2_leave_ping));
    ev_timer_start(s->conn->worker->loop, &s->leave_timer);
    h2_session_touch(s);
}

void h2_session_say_goodbye(struct h2_session *s, uint32_t code)
{
    int error = nghttp2_submit_goaway(s->ng, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(s->ng), code,
                                      NULL, 0);

    h2_session_check(s, error);
    h2_output_compose(s);
}

void h2_session_fail(struct h2_session *s, enum close_reason reason, uint32_t code)
{
    if (s->over)
        return;
    s->over = reason;
    (void)nghttp2_session_terminate_session(s->ng, code); /* it ends, said or not */
    h2_session_touch(s);
}

bool h2_session_is_used_up(const struct h2_session *s)
{
    return s->over || s->peer_leaves || !nghttp2_session_check_request_allowed(s->ng);
}

unsigned h2_session_places(const struct h2_session *s)
{
    uint32_t most;

    if (!s->greeted || h2_session_is_used_up(s))
        return 0;
    most = nghttp2_session_get_remote_settings(s->ng, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    if (most > s->most)
        most = s->most;
    return most > s->stream_count ? most - s->stream_count : 0;
}

bool h2_session_is_held_up(const struct h2_session *s)
{
    return !list_empty(&s->waiting) && nghttp2_session_get_remote_window_size(s->ng) <= 0;
}

void h2_session_ask(struct h2_session *s)
{
    if (s->asked || s->over)
        return;
    s->asked = true;
    h2_session_check(s, nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, h2_ask_ping));
    h2_session_touch(s);
}

void h2_session_lose(struct h2_session *s, enum close_reason reason)
{
    struct list *node, *next;

    if (!s->over)
        s->over = reason;
    s->conn->unwritable = true;
    LIST_EACH (node, next, &s->streams) {
        struct h2_stream *st = CONTAINER_OF(node, struct h2_stream, link);

        st->gone = true;
        st->conn->unwritable = true;
        st->conn->broken = st->conn->broken || !st->ended;
        h2_stream_tell(st, EV_READ);
    }
    h2_session_run_ready(s);
    h2_session_touch(s);
}

void h2_session_break_streams(struct h2_session *s)
{
    while (!list_empty(&s->streams)) {
        struct h2_stream *st = CONTAINER_OF(s->streams.next, struct h2_stream, link);

        st->conn->broken = st->conn->unwritable = true;
        ev_invoke(s->conn->worker->loop, &st->conn->io, EV_READ);
        CHECK(st != CONTAINER_OF(s->streams.next, struct h2_stream, link));
    }
}
