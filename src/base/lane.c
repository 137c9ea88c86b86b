#include "base/lane.h"

void lane_init(struct lane *l, uint64_t most)
{
    *l = (struct lane){.most = most};
    list_init(&l->queue);
}

bool lane_waits(struct lane *l, struct lane_item *item, int events)
{
    if (LIKELY(!l->count && l->moved < l->most))
        return false;
    if (item->queued) {
        item->events |= events;
        return true;
    }
    item->events = events;
    item->queued = true;
    list_push_back(&l->queue, &item->link);
    l->count++;
    return true;
}

void lane_leave(struct lane *l, struct lane_item *item)
{
    if (LIKELY(!item->queued))
        return;
    list_remove(&item->link);
    item->queued = false;
    l->count--;
}

struct lane_item *lane_next(struct lane *l)
{
    struct lane_item *item;

    if (!l->count || l->moved >= l->most) {
        l->moved = 0;
        return NULL;
    }
    item = CONTAINER_OF(l->queue.next, struct lane_item, link);
    lane_leave(l, item);
    return item;
}
