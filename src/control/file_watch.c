#include "control/file_watch.h"

#include "base/list.h"
#include "base/log.h"
#include "base/need.h"
#include "control/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

/* A name in a directory that leads to one of the files. */
struct watched_name {
    int directory; /* inotify's descriptor of it */
    char *name;
};

struct file_watch {
    struct watch watch;
    void (*changed)(void *arg);
    void *arg;
    char **paths;
    unsigned path_count;
    struct watched_name *names;
    unsigned name_count, name_size;
};

/* ---- what leads to a file */

static void add_name(struct file_watch *w, int directory, const char *name)
{
    if (w->name_count == w->name_size) {
        w->name_size = w->name_size ? 2 * w->name_size : 16;
        w->names = need_resized(w->names, w->name_size * sizeof(*w->names));
    }
    w->names[w->name_count].directory = directory;
    w->names[w->name_count].name = need_text(name);
    w->name_count++;
}

static void forget_names(struct file_watch *w)
{
    while (w->name_count)
        free(w->names[--w->name_count].name);
}

/* Watches a directory for a name. False: the system has no watch left. */
static bool watch_name(struct file_watch *w, const char *directory, const char *name)
{
    int wd = watch_directory(&w->watch, directory, WATCH_CONTENT);

    if (wd >= 0)
        add_name(w, wd, name);
    return wd != -ENOSPC;
}

/* A way that is being followed: what of it is a real directory, and what is still to come. */
struct way {
    char done[PATH_MAX]; /* "" for the working directory */
    char rest[PATH_MAX];
    char name[NAME_MAX + 1]; /* its next part */
    char target[PATH_MAX];   /* where that leads, if it is a link */
};

/* Takes the next part off rest; false at the end. */
static bool next_name(struct way *way)
{
    size_t skip = strspn(way->rest, "/"), len = strcspn(way->rest + skip, "/");

    if (!len || len > NAME_MAX)
        return false;
    memcpy(way->name, way->rest + skip, len);
    way->name[len] = '\0';
    memmove(way->rest, way->rest + skip + len, strlen(way->rest + skip + len) + 1);
    return true;
}

static bool append(char *path, const char *name)
{
    size_t len = strlen(path);
    int more = snprintf(path + len, PATH_MAX - len, "%s%s", len && path[len - 1] != '/' ? "/" : "", name);

    return more >= 0 && (size_t)more < PATH_MAX - len;
}

enum found { FOUND_NOTHING, FOUND_LINK, FOUND_OTHER };

/* What is under the name in done? A link's target is read. */
static enum found look(struct way *way)
{
    char path[PATH_MAX];
    struct stat st;
    ssize_t len;

    memcpy(path, way->done, sizeof(path));
    if (!append(path, way->name) || lstat(path, &st) < 0)
        return FOUND_NOTHING;
    if (!S_ISLNK(st.st_mode))
        return FOUND_OTHER;
    len = readlink(path, way->target, sizeof(way->target) - 1);
    way->target[len > 0 ? len : 0] = '\0';
    return len > 0 ? FOUND_LINK : FOUND_NOTHING;
}

/* The target takes the place of the link. */
static bool follow(struct way *way)
{
    if (strlen(way->target) + strlen(way->rest) + 2 > PATH_MAX)
        return false;
    if (way->target[0] == '/')
        memcpy(way->done, "/", 2);
    (void)append(way->target, way->rest + strspn(way->rest, "/"));
    memcpy(way->rest, way->target, sizeof(way->rest));
    return true;
}

/* Takes one step on a way, and watches where it could come to lead elsewhere. False: it ends here. */
static bool step(struct file_watch *w, struct way *way, int *links, bool *watches_left)
{
    bool last = way->rest[strspn(way->rest, "/")] == '\0';
    enum found found = look(way);

    if (last || found != FOUND_OTHER)
        *watches_left = watch_name(w, way->done[0] ? way->done : ".", way->name);
    if (found == FOUND_LINK)
        return ++*links <= LINKS_MAX && follow(way);
    return found == FOUND_OTHER && append(way->done, way->name);
}

/* Watches every directory in which a link or the file itself is. False: no watch is left. */
static bool watch_path(struct file_watch *w, const char *path)
{
    struct way *way = need_zeroed(1, sizeof(*way));
    bool watches_left = true;
    int links = 0;

    if (path[0] == '/')
        way->done[0] = '/';
    if (strlen(path) < sizeof(way->rest))
        memcpy(way->rest, path, strlen(path) + 1);
    while (next_name(way) && step(w, way, &links, &watches_left) && watches_left)
        continue;
    free(way);
    return watches_left;
}

/* All watches anew, and a word where the system has none left. */
static void watch_all(struct file_watch *w)
{
    int error = 0;

    forget_names(w);
    if (w->path_count)
        error = watch_renew(&w->watch);
    else
        watch_drop(&w->watch);
    for (unsigned i = 0; !error && i < w->path_count; i++)
        error = watch_path(w, w->paths[i]) ? 0 : -ENOSPC;
    if (error)
        log_write(LOG_WARN, "certificates are not watched, SIGHUP reads them", "reason=\"%s\"", strerror(-error));
}

/* ---- events */

static void on_quiet(struct watch *watch)
{
    struct file_watch *w = CONTAINER_OF(watch, struct file_watch, watch);

    watch_all(w);
    w->changed(w->arg);
}

static bool concerns(const struct watch *watch, const struct inotify_event *event)
{
    const struct file_watch *w = CONTAINER_OF(watch, struct file_watch, watch);

    for (unsigned i = 0; event->len && i < w->name_count; i++)
        if (w->names[i].directory == event->wd && !strcmp(w->names[i].name, event->name))
            return true;
    return !event->len; /* the directory itself, or a full queue */
}

/* ---- start and end */

struct file_watch *file_watch_start(struct ev_loop *loop, void (*changed)(void *arg), void *arg)
{
    struct file_watch *w = need_zeroed(1, sizeof(*w));

    watch_init(&w->watch, loop, concerns, on_quiet);
    w->changed = changed;
    w->arg = arg;
    return w;
}

static void forget_paths(struct file_watch *w)
{
    while (w->path_count)
        free(w->paths[--w->path_count]);
    free(w->paths);
    w->paths = NULL;
}

void file_watch_set(struct file_watch *w, const char *const *paths, unsigned count)
{
    ASSERT_CONTROL();
    forget_paths(w);
    w->paths = need_zeroed(count + 1, sizeof(*w->paths));
    for (unsigned i = 0; i < count; i++) {
        if (!paths[i])
            continue;
        w->paths[w->path_count] = need_text(paths[i]);
        w->path_count++;
    }
    watch_all(w);
}

void file_watch_stop(struct file_watch **watch)
{
    struct file_watch *w = *watch;

    *watch = NULL;
    if (!w)
        return;
    watch_fini(&w->watch);
    forget_names(w);
    forget_paths(w);
    free(w->names);
    free(w);
}
