#include "worker/listener.h"

#include "base/log.h"
#include "base/sock.h"
#include "worker/client.h"
#include "worker/handshake.h"
#include "worker/room.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A connection with TLS costs more than to accept it. */
enum { ACCEPTS_PER_TURN = 64, SECURE_ACCEPTS_PER_TURN = 16, SINGLES = 4, TELL_EVERY_MS = 10000 };
#define ACCEPT_PAUSE_S .005 /* honest newcomers wait for it, too; all of that took two workers 9 ms of processor a second */

/* The places are the client's from here on; false: they are still ours. */
static bool open_client(struct listener *l, int fd, const struct address *peer, bool counted)
{
    struct transport transport;

    if (l->secure)
        return client_open_secure(l->worker, fd, peer, counted);
    transport_open_tcp(&transport, fd);
    return client_open(l->worker, &transport, peer, counted);
}

/* Its place has been taken; false: it goes back. */
static bool take_client(struct listener *l, int fd, const struct address *peer)
{
    struct worker *w = l->worker;
    bool counted;

    if (!room_admit_address(w, peer, &counted)) {
        sock_close_reset(fd);
        worker_count_close(w, CLOSE_ADDRESS_FULL);
        return false;
    }
    if (open_client(l, fd, peer, counted))
        return true;
    if (counted)
        room_leave_address(w, peer);
    return false;
}

/* first: there is somebody, as the socket is readable. 0, -EAGAIN: there is nobody, or perhaps; -EDQUOT: there is no room; -EMFILE
 * and its like: there is no descriptor. */
static int accept_one(struct listener *l, bool first)
{
    struct address peer;
    int fd;

    if (!room_take_client(l->worker, first))
        return first ? -EDQUOT : -EAGAIN;
    fd = sock_accept(l->fd, &peer);
    if (fd < 0 || !take_client(l, fd, &peer))
        room_give_client(l->worker);
    if (fd == -EMFILE || fd == -ENFILE)
        (void)room_make_descriptor(l->worker, false);
    if (fd >= 0 || (fd != -EAGAIN && fd != -EMFILE && fd != -ENFILE && fd != -ENOBUFS && fd != -ENOMEM))
        return 0; /* or the client has given up */
    return fd;
}

/* How many to take now: no more than wait, so that nobody is asked for in vain. Where one waited, one is taken in the next turns, too. */
static int turn_size(struct listener *l)
{
    int most = l->secure ? SECURE_ACCEPTS_PER_TURN : ACCEPTS_PER_TURN, waiting;

    if (l->singles) {
        l->singles--;
        return 1;
    }
    waiting = sock_accept_queue(l->fd);
    if (waiting == 1)
        l->singles = SINGLES;
    return waiting > 0 && waiting < most ? waiting : most;
}

/* Accepts until the queue is empty; 0, or -errno when accepting has to pause. */
static int accept_batch(struct listener *l, int most)
{
    int error = 0;

    for (int n = 0; n < most && !error; n++)
        error = accept_one(l, n == 0);
    return error == -EAGAIN ? 0 : error;
}

static void pause_accepting(struct listener *l, int error)
{
    struct worker *w = l->worker;

    COUNTER_ADD(w->accept_pauses, 1);
    w->accepting_paused = true;
    ev_io_stop(w->loop, &l->io);
    ev_timer_set(&l->retry, ACCEPT_PAUSE_S, 0.);
    ev_timer_start(w->loop, &l->retry);
    if (w->told_pause_ms && w->now_ms - w->told_pause_ms < TELL_EVERY_MS)
        return;
    w->told_pause_ms = w->now_ms;
    log_write(LOG_WARN, "accepting pauses", "worker=%u error=\"%s\" clients=%llu descriptors=%llu", w->id,
              error == -EDQUOT ? "as many connections as may be" : strerror(-error),
              (unsigned long long)quota_used(&w->shared->counts->clients),
              (unsigned long long)quota_used(&w->shared->counts->descriptors));
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct listener *l = CONTAINER_OF(io, struct listener, io);
    int error;

    ASSERT_WORKER(l->worker);
    if (UNLIKELY(events & EV_ERROR)) {
        pause_accepting(l, -ENOMEM);
        return;
    }
    if (l->secure && handshakes_full(l->worker)) {
        ev_io_stop(loop, &l->io);
        return;
    }
    error = accept_batch(l, turn_size(l));
    if (UNLIKELY(error))
        pause_accepting(l, error);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct listener *l = CONTAINER_OF(timer, struct listener, retry);

    (void)events;
    l->worker->accepting_paused = false;
    ev_io_start(loop, &l->io);
}

void listener_open(struct listener *l, struct worker *w, int fd)
{
    l->worker = w;
    l->fd = fd;
    ev_io_init(&l->io, on_readable, fd, EV_READ);
    ev_timer_init(&l->retry, on_retry, 0., 0.);
    ev_io_start(w->loop, &l->io);
}

void listener_resume(struct listener *l)
{
    if (l->fd >= 0 && !ev_is_active(&l->retry))
        ev_io_start(l->worker->loop, &l->io);
}

void listeners_resume(struct worker *w)
{
    w->accepting_paused = false;
    for (unsigned i = 0; i < w->listener_count; i++) {
        struct listener *l = &w->listeners[i];

        if (l->fd < 0 || !ev_is_active(&l->retry))
            continue;
        ev_timer_stop(w->loop, &l->retry);
        ev_io_start(w->loop, &l->io);
    }
}

void listener_close(struct listener *l)
{
    if (l->fd < 0)
        return;
    (void)accept_batch(l, 1 << 16);
    ev_io_stop(l->worker->loop, &l->io);
    ev_timer_stop(l->worker->loop, &l->retry);
    close(l->fd);
    l->fd = -1;
}
