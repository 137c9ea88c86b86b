/* listener.h - a worker's listening socket: accepts in batches, pauses when descriptors run out.
 *
 * Thread: the worker's. Ownership: the worker owns its listeners; a listener owns its descriptor. */
#pragma once
#include "worker/worker_state.h"

struct listener {
    struct worker *worker;
    int fd;         /* -1 once closed */
    bool secure;    /* its clients speak TLS */
    ev_io io;
    ev_timer retry; /* while accepting is paused */
};

void listener_open(struct listener *l, struct worker *w, int fd);

/* Accepts again, if that was paused because too many handshakes went on. */
void listener_resume(struct listener *l);

/* Takes what is in the accept queue, then closes. */
void listener_close(struct listener *l);
