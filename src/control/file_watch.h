/* file_watch.h - tells when one of some files may have changed, by whatever way leads to it.
 *
 * inotify on the directory of each file and, where a name on the way is a symbolic link, on the directory that the
 * link is in, so that a file that is written, renamed over, or linked anew (as certbot and Kubernetes do it) is
 * noticed; a directory that is not there yet is waited for. Events about other names are passed over. Bursts become
 * one call (watch.h), and before each call everything is watched anew.
 *
 * Thread: control. Ownership: the caller owns a watch until file_watch_stop. */
#pragma once
#include "base/check.h"
#include <ev.h>

struct file_watch;

/* Watches nothing yet. changed(arg) is called from the loop. */
struct file_watch *file_watch_start(struct ev_loop *loop, void (*changed)(void *arg), void *arg);

/* From now on these files, whose names are copied; NULLs among them are passed over. Where the system lets nobody
 * watch, that is logged. */
void file_watch_set(struct file_watch *w, const char *const *paths, unsigned count);

void file_watch_stop(struct file_watch **w); /* *w may be NULL */
