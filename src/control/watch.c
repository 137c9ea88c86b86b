#include "control/watch.h"

#include "base/clock.h"

#include <errno.h>
#include <unistd.h>

enum { QUIET_MS = 100, WAIT_MAX_MS = 1000, EVENTS_SIZE = 16 * 1024 };

/* Takes all events that are there; true when one concerns the owner. */
static bool drain(const struct watch *w)
{
    _Alignas(struct inotify_event) char bytes[EVENTS_SIZE];
    bool found = false;
    ssize_t len;

    while ((len = read(w->io.fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *event = (const struct inotify_event *)(bytes + at);

            found = found || (!(event->mask & IN_IGNORED) && w->concerns(w, event));
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return found;
}

static void on_events(struct ev_loop *loop, ev_io *io, int revents)
{
    struct watch *w = io->data;
    uint64_t now_ms = clock_ms(), waited_ms, delay_ms = QUIET_MS;

    /* When the descriptor cannot be watched: once more behind the burst. */
    if (!drain(w) && !(revents & EV_ERROR))
        return;
    if (!w->burst_since_ms)
        w->burst_since_ms = now_ms;
    waited_ms = now_ms - w->burst_since_ms;
    if (waited_ms + delay_ms > WAIT_MAX_MS)
        delay_ms = waited_ms < WAIT_MAX_MS ? WAIT_MAX_MS - waited_ms : 0;
    ev_timer_stop(loop, &w->timer);
    ev_timer_set(&w->timer, (double)delay_ms / 1e3, 0);
    ev_timer_start(loop, &w->timer);
}

static void on_quiet(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct watch *w = timer->data;

    (void)revents;
    w->burst_since_ms = 0;
    if (w->io.fd >= 0)
        ev_io_start(loop, &w->io);
    w->quiet(w);
}

void watch_init(struct watch *w, struct ev_loop *loop,
                bool (*concerns)(const struct watch *w, const struct inotify_event *event),
                void (*quiet)(struct watch *w))
{
    ASSERT_CONTROL();
    *w = (struct watch){.loop = loop, .concerns = concerns, .quiet = quiet};
    ev_io_init(&w->io, on_events, -1, EV_READ);
    ev_timer_init(&w->timer, on_quiet, 0, 0);
    w->io.data = w->timer.data = w;
}

int watch_renew(struct watch *w)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), error = errno;

    watch_drop(w);
    if (fd < 0)
        return -error;
    ev_io_set(&w->io, fd, EV_READ);
    ev_io_start(w->loop, &w->io);
    return 0;
}

int watch_directory(struct watch *w, const char *path, uint32_t mask)
{
    int wd = inotify_add_watch(w->io.fd, path, mask | IN_ONLYDIR);

    return wd < 0 ? -errno : wd;
}

void watch_drop(struct watch *w)
{
    ev_io_stop(w->loop, &w->io);
    if (w->io.fd >= 0)
        close(w->io.fd);
    ev_io_set(&w->io, -1, EV_READ);
}

void watch_fini(struct watch *w)
{
    ev_timer_stop(w->loop, &w->timer);
    watch_drop(w);
}
