/* script_watch.h - tells when something in the scripts' directory may have changed.
 *
 * inotify on the directory and its folders, and on where the directory is (so that one that is removed, renamed
 * or linked anew is found again). Bursts become one call (watch.h). Before each call everything is watched
 * anew, so that what is read then misses nothing that comes later, whatever was created, replaced or lost on
 * the way (also when the kernel's queue overflowed).
 *
 * Thread: control. Ownership: the caller owns a watch until script_watch_stop. */
#pragma once
#include "base/check.h"
#include <ev.h>

struct script_watch;

/* Watches dir, which need not be there now. changed(arg) is called from the loop. NULL: the system lets nobody
 * watch, which is logged. */
struct script_watch *script_watch_start(struct ev_loop *loop, const char *dir,
                                        void (*changed)(void *arg), void *arg);
void script_watch_stop(struct script_watch **w); /* *w may be NULL */
