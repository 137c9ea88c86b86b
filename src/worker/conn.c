#include "worker/conn.h"

#include "base/sock.h"
#include "worker/bulk.h"
#include "worker/memory.h"

enum { JOINED_MAX = 4096 }; /* bytes */

void conn_open(struct conn *c, struct worker *w, const struct transport *transport, const struct conn_owner *owner)
{
    *c = (struct conn){.worker = w, .transport = *transport, .deadline.at_ms = DEADLINE_NONE};
    ev_io_init(&c->io, owner->on_io, transport->fd, EV_READ);
    c->io.data = (void *)owner;
}

void conn_close(struct conn *c, bool abort)
{
    struct worker *w = c->worker;

    bulk_leave(c);
    ev_io_stop(w->loop, &c->io);
    deadlines_drop(&w->deadlines, &c->deadline);
    block_pool_release(&w->blocks, &c->in);
    block_pool_release(&w->blocks, &c->out);
    transport_close(&c->transport, abort);
}

static int wanted_events(const struct conn *c)
{
    const struct transport *t = &c->transport;
    bool reads = !c->connecting && !c->paused && !c->eof && !c->broken;
    int events = reads ? EV_READ : 0;

    if (UNLIKELY(c->queued))
        return 0;
    if (c->connecting || c->blocked || (t->wants_write && reads))
        events |= EV_WRITE;
    if (t->wants_read && c->blocked)
        events |= EV_READ;
    return events;
}

void conn_update_io(struct conn *c)
{
    int events = wanted_events(c);

    if (c->transport.ops->wait) {
        c->transport.ops->wait(&c->transport, events);
        return;
    }
    if (c->transport.pending && (events & EV_READ))
        ev_feed_event(c->worker->loop, &c->io, EV_READ);
    if (ev_is_active(&c->io)) {
        if ((c->io.events & (EV_READ | EV_WRITE)) == events)
            return;
        ev_io_stop(c->worker->loop, &c->io);
    }
    if (!events)
        return;
    ev_io_set(&c->io, c->transport.fd, events);
    ev_io_start(c->worker->loop, &c->io);
}

/* A read that filled its block is taken for the start of a large body: the next one gets a large block, and where that was filled and
 * all of it taken at once, a wide one. A body that has to wait for whoever takes it does with large ones. */
static bool take_in_block(struct conn *c)
{
    struct block_pool *blocks = &c->worker->blocks;
    bool stalled = c->stalled;

    if (!c->filled || buf_len(&c->in) || memory_is_short(c->worker))
        return block_pool_take(blocks, &c->in);
    c->stalled = false;
    if (c->in.cap < blocks->large_size)
        return block_pool_enlarge(blocks, &c->in);
    if (stalled)
        block_pool_narrow(blocks, &c->in);
    else if (memory_has(c->worker, blocks->wide_size))
        block_pool_widen(blocks, &c->in);
    return true;
}

enum io conn_read(struct conn *c)
{
    size_t n;
    enum io result;

    if (!take_in_block(c)) {
        c->broken = true;
        return IO_ERROR;
    }
    if (buf_room(&c->in) == 0) {
        c->paused = c->stalled = true;
        conn_update_io(c);
        return IO_AGAIN;
    }
    result = transport_read(&c->transport, buf_tail(&c->in), buf_room(&c->in), &n);
    c->in.end += (uint32_t)n;
    c->worker->bulk.moved += n;
    c->filled = buf_room(&c->in) == 0;
    if (c->transport.pending || c->transport.wants_write)
        conn_update_io(c);
    if (result == IO_EOF)
        c->eof = true;
    else if (result == IO_ERROR)
        c->broken = true;
    if (result == IO_EOF || result == IO_ERROR)
        conn_update_io(c);
    return result;
}

/* Sends pieces of total bytes. False: the connection is unwritable. */
static inline bool transmit(struct conn *c, const struct iovec *iov, int count, size_t total, size_t *sent)
{
    switch (transport_write(&c->transport, iov, count, sent)) {
    case IO_OK:
    case IO_AGAIN:
        break;
    default:
        c->unwritable = true;
        conn_update_io(c); /* TLS that broke has no event of its own: reading it says so */
        return false;
    }
    c->sent += *sent;
    c->worker->bulk.moved += *sent;
    if (*sent < total || c->transport.unsent) {
        c->blocked = true;
        conn_update_io(c);
    }
    return true;
}

static inline void drop_sent(struct conn *c, size_t sent)
{
    buf_consume(&c->out, sent);
    if (buf_len(&c->out) == 0)
        block_pool_release(&c->worker->blocks, &c->out);
}

/* Sends c->out alone. False: the connection is unwritable. */
static bool send_out(struct conn *c)
{
    size_t len = buf_len(&c->out), sent;
    struct iovec piece = {len ? buf_head(&c->out) : NULL, len};

    if (!len && !c->transport.unsent)
        return true;
    if (!transmit(c, &piece, len > 0, len, &sent))
        return false;
    drop_sent(c, sent);
    return true;
}

/* What was sent beyond c->out and data belongs to tail; what is left of tail must go out next. */
static void keep_tail(struct conn *c, struct slice tail, size_t sent)
{
    if (sent < tail.len && !conn_queue(c, slice_of(tail.data + sent, tail.len - sent)))
        conn_give_up(c);
}

/* Behind a head, a small piece is cheaper copied than sent from where it is: one piece needs no vector. */
static bool join(struct conn *c, struct slice data, struct slice tail)
{
    if (!data.len || !buf_len(&c->out) || data.len > JOINED_MAX || data.len + tail.len > buf_room(&c->out))
        return false;
    CHECK(buf_append(&c->out, data.data, data.len) && buf_append(&c->out, tail.data, tail.len));
    return true;
}

static SELDOM size_t send_all(struct conn *c, struct slice data, struct slice tail)
{
    struct iovec iov[3];
    size_t sent, from_out, from_data;
    int count = 0;

    if (buf_len(&c->out))
        iov[count++] = (struct iovec){buf_head(&c->out), buf_len(&c->out)};
    if (data.len)
        iov[count++] = (struct iovec){(char *)data.data, data.len};
    if (tail.len)
        iov[count++] = (struct iovec){(char *)tail.data, tail.len};
    if (!transmit(c, iov, count, buf_len(&c->out) + data.len + tail.len, &sent))
        return 0;
    from_out = sent < buf_len(&c->out) ? sent : buf_len(&c->out);
    from_data = sent - from_out < data.len ? sent - from_out : data.len;
    drop_sent(c, from_out);
    if (from_data == data.len)
        keep_tail(c, tail, sent - from_out - from_data);
    return from_data;
}

size_t conn_write(struct conn *c, struct slice data, struct slice tail)
{
    if (c->blocked || c->unwritable)
        return 0;
    if (join(c, data, tail))
        return send_out(c) ? data.len : 0;
    if (!data.len && !tail.len) {
        (void)send_out(c);
        return 0;
    }
    return send_all(c, data, tail);
}

/* TLS has a little more on the way than it was given: that is not worth knowing. */
uint64_t conn_delivered(const struct conn *c)
{
    uint64_t on_its_way = c->transport.fd >= 0 ? sock_unacknowledged(c->transport.fd) : 0;

    return c->sent > on_its_way ? c->sent - on_its_way : 0;
}

void conn_flush(struct conn *c)
{
    (void)conn_write(c, slice_of("", 0), slice_of("", 0));
}

void conn_give_up(struct conn *c)
{
    c->broken = c->unwritable = true;
    conn_update_io(c);
}

bool conn_queue(struct conn *c, struct slice data)
{
    if (!block_pool_take(&c->worker->blocks, &c->out))
        return false;
    if (buf_room(&c->out) < data.len && !block_pool_enlarge(&c->worker->blocks, &c->out))
        return false;
    return buf_append(&c->out, data.data, data.len);
}

void conn_resume(struct conn *c)
{
    if (!c->paused)
        return;
    c->paused = false;
    conn_update_io(c);
}

void conn_deadline(struct conn *c, uint64_t delay_ms)
{
    struct worker *w = c->worker;

    if (delay_ms == 0) {
        deadline_clear(&c->deadline);
        return;
    }
    c->excused = false;
    deadlines_set(&w->deadlines, &c->deadline, w->now_ms + delay_ms);
}
