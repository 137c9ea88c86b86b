#include "control/script_watch.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { QUIET_MS = 100, WAIT_MAX_MS = 1000, EVENTS_SIZE = 16 * 1024 };

/* What happens in a folder of scripts: saving in place ends with CLOSE_WRITE, saving by a rename with
 * MOVED_TO. */
#define IN_FOLDER                                                                                  \
    (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |            \
     IN_DELETE_SELF | IN_MOVE_SELF)
/* What happens to the directory, seen from where it is. */
#define IN_PARENT (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

static const char *const folders[] = {"", "commands", "hooks", "health", "maintenance", "policies"};

struct script_watch {
    struct ev_loop *loop;
    char *dir; /* absolute, without a slash at its end */
    void (*changed)(void *arg);
    void *arg;
    int parent;              /* watch descriptor of where dir, or what leads to it, is */
    const char *child;       /* its name there, within dir */
    size_t child_len;
    ev_io io;                /* its fd is inotify's; -1: none */
    ev_timer timer;          /* active from the first event of a burst on */
    uint64_t burst_since_ms; /* when that came */
};

/* Watches the nearest directory that is there above dir, for the name that leads to dir. */
static void watch_above(struct script_watch *w)
{
    char at[PATH_MAX];
    size_t end = strlen(w->dir), len;

    w->parent = -1;
    while (w->parent < 0 && end > 0) {
        for (len = end; len > 0 && w->dir[len - 1] != '/'; len--)
            continue;
        w->child = w->dir + len;
        w->child_len = end - len;
        end = len > 0 ? len - 1 : 0;
        snprintf(at, sizeof(at), "%.*s", end > 0 ? (int)end : 1, w->dir);
        w->parent = inotify_add_watch(w->io.fd, at, IN_PARENT | IN_ONLYDIR);
    }
}

/* All watches anew. False: the system has none left. */
static bool watch_all(struct script_watch *w)
{
    char path[PATH_MAX + 32];
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    ev_io_stop(w->loop, &w->io);
    if (w->io.fd >= 0)
        close(w->io.fd);
    ev_io_set(&w->io, fd, EV_READ);
    if (fd < 0)
        return false;
    watch_above(w);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", w->dir, folders[i]);
        if (inotify_add_watch(fd, path, IN_FOLDER | IN_ONLYDIR) < 0 && errno == ENOSPC)
            return false;
    }
    ev_io_start(w->loop, &w->io);
    return true;
}

static void log_unwatched(const struct script_watch *w)
{
    log_write(LOG_WARN, "[scripts] not watched any more, SIGHUP or SCRIPTS_RELOAD reads them",
              "dir=%s reason=\"%s\"", w->dir, strerror(errno));
}

static void on_quiet(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct script_watch *w = timer->data;

    (void)loop;
    (void)revents;
    w->burst_since_ms = 0;
    if (!watch_all(w))
        log_unwatched(w);
    w->changed(w->arg);
}

/* Is the event about the scripts, not about something else where their directory is? */
static bool concerns(const struct script_watch *w, const struct inotify_event *event)
{
    if (event->mask & IN_IGNORED)
        return false;
    if (event->wd != w->parent || !event->len)
        return true;
    return strlen(event->name) == w->child_len &&
           strncmp(event->name, w->child, w->child_len) == 0;
}

/* Takes all events that are there; true when one concerns us. */
static bool drain(const struct script_watch *w)
{
    _Alignas(struct inotify_event) char bytes[EVENTS_SIZE];
    bool found = false;
    ssize_t len;

    while ((len = read(w->io.fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *event = (const struct inotify_event *)(bytes + at);

            found = found || concerns(w, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return found;
}

static void on_events(struct ev_loop *loop, ev_io *io, int revents)
{
    struct script_watch *w = io->data;
    uint64_t now_ms = clock_ms(), waited_ms, delay_ms = QUIET_MS;

    (void)revents;
    if (!drain(w))
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

/* The directory's absolute name; a link that it ends with stays one. */
static char *absolute(const char *dir)
{
    char *real, *path;
    size_t len;

    if (dir[0] == '/') {
        path = strdup(dir);
    } else {
        real = realpath(".", NULL);
        if (!real || asprintf(&path, "%s/%s", real, dir) < 0)
            path = strdup(dir);
        free(real);
    }
    CHECK(path);
    for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = '\0';
    if (path[len - 1] != '.' || (real = realpath(path, NULL)) == NULL)
        return path;
    free(path); /* ".", "..": what it is called is seen above it only by its name */
    return real;
}

struct script_watch *script_watch_start(struct ev_loop *loop, const char *dir,
                                        void (*changed)(void *arg), void *arg)
{
    struct script_watch *w = calloc(1, sizeof(*w));

    ASSERT_CONTROL();
    CHECK(w);
    w->loop = loop;
    w->dir = absolute(dir);
    w->changed = changed;
    w->arg = arg;
    ev_io_init(&w->io, on_events, -1, EV_READ);
    ev_timer_init(&w->timer, on_quiet, 0, 0);
    w->io.data = w->timer.data = w;
    if (watch_all(w))
        return w;
    log_unwatched(w);
    script_watch_stop(&w);
    return NULL;
}

void script_watch_stop(struct script_watch **watch)
{
    struct script_watch *w = *watch;

    *watch = NULL;
    if (!w)
        return;
    ev_io_stop(w->loop, &w->io);
    ev_timer_stop(w->loop, &w->timer);
    if (w->io.fd >= 0)
        close(w->io.fd);
    free(w->dir);
    free(w);
}
