/* watch.h - an inotify descriptor on the loop: bursts of events become one call.
 *
 * What is watched is the owner's business (script_watch.h, file_watch.h). The call comes 100 ms after the last event that
 * concerns the owner, at most a second after the first. Nothing is polled.
 *
 * Thread: control. Ownership: embedded in its owner, which calls watch_fini; the descriptor is the watch's. */
#pragma once
#include "base/check.h"
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>

/* What happens in a directory: saving in place ends with CLOSE_WRITE, saving by a rename with MOVED_TO. */
#define WATCH_CONTENT                                                                              \
    (IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |            \
     IN_DELETE_SELF | IN_MOVE_SELF)

struct watch {
    struct ev_loop *loop;
    bool (*concerns)(const struct watch *w, const struct inotify_event *event);
    void (*quiet)(struct watch *w); /* a burst is over */
    ev_io io;                /* its fd is inotify's; -1: none */
    ev_timer timer;          /* active from the first event of a burst on */
    uint64_t burst_since_ms; /* when that came */
};

/* Watches nothing yet. */
void watch_init(struct watch *w, struct ev_loop *loop,
                bool (*concerns)(const struct watch *w, const struct inotify_event *event),
                void (*quiet)(struct watch *w));

/* A new descriptor, without watches, in place of the one before: what was renamed, removed or lost on the way then needs no
 * book. 0 or -errno. */
MUST_USE int watch_renew(struct watch *w);

/* Watches a directory for the events of the mask. A watch descriptor, or -errno (-ENOSPC: the system has none left). */
int watch_directory(struct watch *w, const char *path, uint32_t mask);

/* No descriptor any more, until watch_renew. */
void watch_drop(struct watch *w);

void watch_fini(struct watch *w);
