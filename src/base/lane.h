/* lane.h - a queue for what may take its time, so that what is quick need not wait for it.
 *
 * A thread does its work in turns. Large work goes on as it comes until a turn has moved as many bytes as it may; from then on it
 * queues, and all that comes after it while some is queued. At the end of each turn the first ones go on, again for so many
 * bytes. So a turn is short however much there is to do, and whoever queues is served in order.
 *
 * Thread: the one that owns the lane. Ownership: items are embedded in what queues, zeroed at first; lane_leave before they go. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/list.h"
#include <stdint.h>
#else
struct list {
    struct list *prev, *next;
};
#endif

struct lane {
    struct list queue; /* of struct lane_item, first come first */
    uint32_t count;    /* in it */
    uint64_t moved;    /* bytes of this turn, or of what queued: by the owner */
    uint64_t most;     /* that one of the two may move */
};

struct lane_item {
    struct list link;
    int events;  /* what it was told while it queued */
    bool queued;
};

void lane_init(struct lane *l, uint64_t most);

/* Has this to wait? Then it is queued, and remembers the events. */
MUST_USE bool lane_waits(struct lane *l, struct lane_item *item, int events);

/* At a turn's end, after moved was set to 0: the first of the queue, off it; its events are for the caller. NULL: the queue is empty,
 * or has moved as much as it may, and the next turn begins. */
struct lane_item *lane_next(struct lane *l);

/* Off the queue, if it is on it. */
void lane_leave(struct lane *l, struct lane_item *item);
