/* fifo.h - events of connections, in the order in which the kernel told of them.
 *
 * libev calls what one poll brought last come, first served. A request needs an event of its client and one of its backend:
 * who is unlucky with both waits for two whole turns of the loop. So the watchers' functions only note their events here,
 * and a watcher of lower priority calls them again in order, still before time-outs and within the same turn.
 *
 * Events of connections without descriptor (streams), those that the proxy feeds itself, and of who had to wait already
 * (worker/bulk.h) are not put off.
 *
 * Thread: the worker's. Ownership: the worker's; of connections it keeps nothing beyond the turn. */
#pragma once
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct conn;

struct fifo_event {
    struct conn *conn;
    int events;
};

struct fifo {
    struct fifo_event *noted; /* last come first */
    uint32_t count, capacity;
    bool running; /* calls them */
    ev_timer run; /* never started: fed when there is something, for its priority */
};

void fifo_init(struct fifo *f);
void fifo_fini(struct fifo *f);

/* Notes an event, if it is of those that are put off. False: it is not, or there is no memory for it. */
bool fifo_note(struct fifo *f, struct ev_loop *loop, struct conn *c, int events);

/* For the start of a watcher's function: true when it shall return, and will be called again with these events, if the
 * connection still waits for any. False: go on. */
static inline bool fifo_defers(struct fifo *f, struct ev_loop *loop, struct conn *c, int events)
{
    return !f->running && fifo_note(f, loop, c, events);
}
