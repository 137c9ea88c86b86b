#include "worker/listener.h"

#include "base/log.h"
#include "base/sock.h"
#include "worker/client.h"
#include "worker/handshake.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A connection with TLS costs more than to accept it. */
enum { ACCEPTS_PER_TURN = 64, SECURE_ACCEPTS_PER_TURN = 16 };
#define ACCEPT_PAUSE_S .1

/* Accepts until the queue is empty; 0, or -errno when accepting has to pause. */
static int accept_batch(struct listener *l, int most)
{
    struct transport transport;
    struct address peer;

    for (int n = 0; n < most; n++) {
        int fd = sock_accept(l->fd, &peer);

        if (fd >= 0 && l->secure) {
            client_open_secure(l->worker, fd, &peer);
        } else if (fd >= 0) {
            transport_open_tcp(&transport, fd);
            client_open(l->worker, &transport, &peer);
        } else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
            return fd;
        } else if (fd == -EAGAIN) {
            return 0;
        }
    }
    return 0;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    struct listener *l = CONTAINER_OF(io, struct listener, io);
    int error;

    (void)events;
    ASSERT_WORKER(l->worker);
    if (l->secure && handshakes_full(l->worker)) {
        ev_io_stop(loop, &l->io);
        return;
    }
    error = accept_batch(l, l->secure ? SECURE_ACCEPTS_PER_TURN : ACCEPTS_PER_TURN);
    if (!error)
        return;
    log_write(LOG_WARN, "accepting pauses", "worker=%u error=\"%s\"", l->worker->id,
              strerror(-error));
    ev_io_stop(loop, &l->io);
    ev_timer_set(&l->retry, ACCEPT_PAUSE_S, 0.);
    ev_timer_start(loop, &l->retry);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct listener *l = CONTAINER_OF(timer, struct listener, retry);

    (void)events;
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
