/* bulk.h - large bodies beside everything else: they get BULK_BYTES of a turn, and what is more waits for the next (base/lane.h).
 *
 * A thousand responses that are ready at once would else be a turn of 40 ms, and every request would wait for several of them. Large
 * is a connection whose last read filled its block, and one that could not send all it had to. What reads or writes first, a
 * request's or a response's head, never waits here.
 *
 * Thread: the worker's. Ownership: the worker owns the queue; a place in it is embedded in each conn, which leaves it before it goes. */
#pragma once
#include "worker/conn.h"
#include "worker/worker_state.h"

void bulk_init(struct worker *w);

/* The watcher of a connection with a descriptor was told these events. True: it is told them again when it is its turn. */
MUST_USE bool bulk_queue(struct conn *c, int events);

static inline bool bulk_waits(struct conn *c, int events)
{
    bool large = ((events & EV_READ) && c->filled) || ((events & EV_WRITE) && c->blocked);

    return UNLIKELY(large) && !c->its_turn && bulk_queue(c, events);
}

/* What it was told is out of date. */
void bulk_unqueue(struct conn *c);

static inline void bulk_leave(struct conn *c)
{
    if (UNLIKELY(c->bulk.queued))
        bulk_unqueue(c);
}

/* Serves the queue. */
void bulk_run(struct worker *w);

/* A turn ends. */
static inline void bulk_end_turn(struct worker *w)
{
    w->bulk.moved = 0;
    if (UNLIKELY(w->bulk.count))
        bulk_run(w);
}
