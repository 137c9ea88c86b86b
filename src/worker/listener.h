/* listener.h - a worker's listening socket: accepts in batches, pauses while there is no room (worker/room.h) or the kernel
 * has no descriptor: what comes meanwhile waits in the kernel's queue. It goes on when a client of its worker's closes, and
 * looks every 5 ms whether others' did.
 *
 * Thread: the worker's. Ownership: the worker owns its listeners; a listener owns its descriptor. */
#pragma once
#include "worker/worker_state.h"

struct listener {
    struct worker *worker;
    int fd;         /* -1 once closed */
    bool secure;    /* its clients speak TLS */
    uint8_t singles; /* turns in which one is taken, without a look at how many wait */
    ev_io io;
    ev_timer retry; /* while accepting is paused */
};

void listener_open(struct listener *l, struct worker *w, int fd);

/* Accepts again, if that was paused because too many handshakes went on. */
void listener_resume(struct listener *l);

/* The same for all of a worker's, if that was paused for want of room. */
void listeners_resume(struct worker *w);

/* Takes what is in the accept queue, then closes. */
void listener_close(struct listener *l);
