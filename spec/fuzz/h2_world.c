#include "spec/fuzz/h2_world.h"

#include "spec/fuzz/h2_streams.h"
#include "worker/bulk.h"
#include "worker/deadline_timer.h"

#include <malloc.h>
#include <stdlib.h>

enum {
    SMALL = 16 * 1024,
    KIB = 1024,
    HEADS_OF_STREAM = 10,       /* blocks with a head, or trailers, that a stream may keep */
    SESSION_BYTES = 512 * KIB,  /* of nghttp2, and frames queued in it */
    OTHERS = 8 * KIB,           /* of a thread of libFuzzer that begins meanwhile; freed pieces that malloc keeps at hand */
    STREAM_BYTES = 4 * KIB + sizeof(struct h2_fuzz_stream) /* of nghttp2's stream and ours */
};

/* Of AddressSanitizer, where it is there. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : mallinfo2().uordblks;
}

/* ---- the peer */

static enum io peer_read(struct transport *t, void *to, size_t size, size_t *n)
{
    struct h2_world *w = t->state;

    *n = w->hears.len < size ? w->hears.len : size;
    memcpy(to, w->hears.data, *n);
    w->hears = slice_skip(w->hears, *n);
    return *n ? IO_OK : IO_AGAIN;
}

static enum io peer_write(struct transport *t, const struct iovec *iov, int count, size_t *n)
{
    struct h2_world *w = t->state;

    *n = 0;
    for (int i = 0; i < count; i++) {
        size_t len = iov[i].iov_len < w->takes ? iov[i].iov_len : w->takes;

        h2_wire_pass(&w->wire, slice_of(iov[i].iov_base, len));
        w->takes -= w->takes == SIZE_MAX ? 0 : len;
        *n += len;
    }
    return *n ? IO_OK : IO_AGAIN;
}

static void peer_shutdown(struct transport *t)
{
    (void)t;
}

static void peer_close(struct transport *t, bool abort)
{
    (void)t;
    (void)abort;
}

static void peer_wait(struct transport *t, int events)
{
    (void)t;
    (void)events;
}

static const struct transport_ops peer_ops = {
    .read = peer_read, .write = peer_write, .shutdown = peer_shutdown, .close = peer_close, .wait = peer_wait};

/* ---- the session's owner, as worker/client_session.c and worker/carrier.c are */

static struct h2_world *of(struct h2_session *h2)
{
    return CONTAINER_OF(h2, struct h2_world, h2);
}

static struct h2_stream *accept_stream(struct h2_session *h2, int32_t id, struct h2_fields *fields, bool ends)
{
    return h2_streams_accept(of(h2), id, fields, ends);
}

static void close_session(struct h2_world *w)
{
    h2_session_close(&w->h2);
    w->open = false;
}

static void lose(struct h2_world *w, enum close_reason reason)
{
    if (w->lost)
        return;
    w->lost = true;
    conn_close(&w->conn, false);
    h2_session_lose(&w->h2, reason);
}

static void settled_client(struct h2_world *w)
{
    if (w->lost) {
        if (!w->h2.stream_count)
            close_session(w);
    } else if (w->h2.over) {
        lose(w, w->h2.over);
    } else if (h2_session_is_used_up(&w->h2) && !w->h2.stream_count) {
        h2_session_say_goodbye(&w->h2, 0);
        conn_flush(&w->conn);
        close_session(w);
    }
}

static void settled(struct h2_session *h2)
{
    struct h2_world *w = of(h2);

    CHECK(w->open);
    if (w->still)
        return;
    if (h2->role == H2_CLIENT) {
        settled_client(w);
        return;
    }
    if (!h2->over && h2->leave == H2_LEFT && !h2->stream_count)
        h2->over = CLOSE_CLIENT_LAST;
    if (!h2->over)
        return;
    h2_session_break_streams(h2);
    close_session(w);
    conn_flush(&w->conn);
}

static const struct h2_owner owner = {accept_stream, settled};

/* ---- a turn */

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    struct h2_world *w = CONTAINER_OF(io, struct h2_world, conn.io);

    (void)loop;
    if (events & EV_WRITE) {
        w->conn.blocked = false;
        conn_flush(&w->conn);
        conn_update_io(&w->conn);
        h2_session_touch(&w->h2);
    }
    if ((events & EV_READ) && conn_read(&w->conn) == IO_OK)
        h2_session_input(&w->h2);
}

static void on_late(struct conn *c)
{
    (void)c;
}

static const struct conn_owner conn_events = {on_io, on_late};

static void free_retired(struct worker *worker)
{
    while (worker->retired) {
        struct retired *memory = worker->retired;

        worker->retired = memory->next;
        free(memory);
    }
}

static size_t blocks_held(const struct block_pool *pool)
{
    return pool->taken_bytes + (size_t)pool->small.kept * SMALL + (size_t)pool->large.kept * WORKER_LARGE_BLOCK;
}

/* What is kept has bounds, whatever the peer does. */
static void check_bounds(const struct h2_world *w)
{
    unsigned count = w->opened - w->closed;
    uint64_t blocks = WORKER_LARGE_BLOCK + HEADS_OF_STREAM * SMALL;

    CHECK(w->open ? w->h2.stream_count == count : !count);
    CHECK(w->h2.role == H2_CLIENT || count <= w->settings.h2_max_streams);
    CHECK(w->worker.blocks.taken_bytes <= 2 * WORKER_LARGE_BLOCK + SMALL + count * blocks);
    CHECK(allocated() - w->allocated <= blocks_held(&w->worker.blocks) + SESSION_BYTES + count * STREAM_BYTES);
}

void h2_world_turn(struct h2_world *w)
{
    struct ev_loop *loop = w->worker.loop;

    if (w->open && w->conn.blocked && w->takes && !w->lost)
        ev_feed_event(loop, &w->conn.io, EV_WRITE);
    if (w->open && w->hears.len && !w->lost)
        ev_feed_event(loop, &w->conn.io, EV_READ);
    while (ev_pending_count(loop))
        ev_invoke_pending(loop);
    free_retired(&w->worker);
    check_bounds(w);
}

bool h2_world_hear(struct h2_world *w, struct slice bytes)
{
    w->hears = bytes;
    while (w->open && !w->lost && !w->h2.over && w->hears.len) {
        w->conn.filled = true; /* a large block, as in the middle of many bytes */
        h2_world_turn(w);
    }
    return w->open && !w->lost && !w->h2.over;
}

uint8_t h2_world_script(struct h2_world *w)
{
    return w->script.bytes.len ? (uint8_t)w->script.bytes.data[w->script.at++ % w->script.bytes.len] : 0;
}

/* ---- life */

static void set_limits(struct settings *s, bool still)
{
    *s = (struct settings){0};
    s->h2_max_streams = still ? H2_WORLD_STREAMS : 8;
    s->h2_resets = still ? 1000000 : 20;
    s->h2_control_frames = still ? 1000000 : 30;
    s->head_size = still ? SMALL : 512;
    s->header_count = still ? 200 : 16;
    s->target_length = 256;
    s->buffer_size = SMALL;
}

void h2_world_open(struct h2_world *w, enum h2_role role, bool still, struct slice script)
{
    struct transport transport = {.ops = &peer_ops, .fd = -1, .state = w, .open = true};

    *w = (struct h2_world){.still = still, .takes = SIZE_MAX, .open = true, .script = {script, 0}};
    list_init(&w->streams);
    w->allocated = allocated();
    set_limits(&w->settings, still);
    w->worker.limits = (struct http_limits){w->settings.head_size, w->settings.header_count, w->settings.target_length};
    w->snapshot.settings = &w->settings;
    w->lease.snapshot = &w->snapshot;
    w->worker.lease = &w->lease;
    w->worker.loop = ev_loop_new(EVBACKEND_SELECT | EVFLAG_NOENV);
    w->worker.now_us = 1000000000;
    w->worker.now_ms = w->worker.now_us / 1000;
    CHECK(w->worker.loop);
    check_own_thread(&w->worker);
    block_pool_init(&w->worker.blocks, SMALL, WORKER_LARGE_BLOCK, WORKER_WIDE_BLOCK, WORKER_KEEP_BYTES);
    deadline_timer_init(&w->worker);
    bulk_init(&w->worker);
    h2_wire_init(&w->wire, role == H2_CLIENT);
    conn_open(&w->conn, &w->worker, &transport, &conn_events);
    CHECK(h2_session_open(&w->h2, &w->conn, role, &owner));
    h2_world_turn(w);
}

void h2_world_end(struct h2_world *w)
{
    if (w->open && w->h2.role == H2_CLIENT) {
        w->still = false;
        lose(w, CLOSE_ORIGIN_CLOSED);
        h2_world_turn(w);
        h2_streams_drop(w); /* those that have all, and read nothing */
        h2_world_turn(w);
    } else if (w->open) {
        h2_session_break_streams(&w->h2);
        close_session(w);
    }
    conn_close(&w->conn, false);
    CHECK(!w->open);
}

void h2_world_close(struct h2_world *w)
{
    h2_world_end(w);
    CHECK(w->opened == w->closed);
    ev_invoke_pending(w->worker.loop); /* nothing that would look at it */
    free_retired(&w->worker);
    CHECK(w->worker.blocks.taken_bytes == 0);
    block_pool_fini(&w->worker.blocks);
    deadline_timer_fini(&w->worker);
    ev_loop_destroy(w->worker.loop);
    check_own_thread(NULL);
    CHECK(allocated() <= w->allocated + OTHERS);
}
