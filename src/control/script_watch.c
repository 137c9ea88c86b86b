#include "control/script_watch.h"

#include "base/list.h"
#include "base/log.h"
#include "base/need.h"
#include "control/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What happens to the directory, seen from where it is. */
#define IN_PARENT (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

static const char *const folders[] = {"", "commands", "hooks", "health", "maintenance", "policies"};

struct script_watch {
    struct watch watch;
    char *dir; /* absolute, without a slash at its end */
    void (*changed)(void *arg);
    void *arg;
    int parent;              /* watch descriptor of where dir, or what leads to it, is */
    const char *child;       /* its name there, within dir */
    size_t child_len;
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
        w->parent = watch_directory(&w->watch, at, IN_PARENT);
    }
}

/* All watches anew. 0, or -errno when the system has none left: then nothing is watched. */
static int watch_all(struct script_watch *w)
{
    char path[PATH_MAX + 32];
    int error = watch_renew(&w->watch);

    if (error)
        return error;
    watch_above(w);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", w->dir, folders[i]);
        error = watch_directory(&w->watch, path, WATCH_CONTENT);
        if (error == -ENOSPC) {
            watch_drop(&w->watch);
            return error;
        }
    }
    return 0;
}

static void log_unwatched(const struct script_watch *w, int error)
{
    log_write(LOG_WARN, "[scripts] not watched any more, SIGHUP or SCRIPTS_RELOAD reads them",
              "dir=%s reason=\"%s\"", w->dir, strerror(-error));
}

static void on_quiet(struct watch *watch)
{
    struct script_watch *w = CONTAINER_OF(watch, struct script_watch, watch);
    int error = watch_all(w);

    if (error)
        log_unwatched(w, error);
    w->changed(w->arg);
}

/* Is the event about the scripts, not about something else where their directory is? */
static bool concerns(const struct watch *watch, const struct inotify_event *event)
{
    const struct script_watch *w = CONTAINER_OF(watch, struct script_watch, watch);

    if (event->wd != w->parent || !event->len)
        return true;
    return strlen(event->name) == w->child_len &&
           strncmp(event->name, w->child, w->child_len) == 0;
}

/* The directory's absolute name; a link that it ends with stays one. */
static char *absolute(const char *dir)
{
    char *real, *path;
    size_t len;

    if (dir[0] == '/') {
        path = need_text(dir);
    } else {
        real = realpath(".", NULL);
        path = real ? need_printf("%s/%s", real, dir) : need_text(dir);
        free(real);
    }
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
    struct script_watch *w = need_zeroed(1, sizeof(*w));
    int error;

    watch_init(&w->watch, loop, concerns, on_quiet);
    w->dir = absolute(dir);
    w->changed = changed;
    w->arg = arg;
    error = watch_all(w);
    if (!error)
        return w;
    log_unwatched(w, error);
    script_watch_stop(&w);
    return NULL;
}

void script_watch_stop(struct script_watch **watch)
{
    struct script_watch *w = *watch;

    *watch = NULL;
    if (!w)
        return;
    watch_fini(&w->watch);
    free(w->dir);
    free(w);
}
