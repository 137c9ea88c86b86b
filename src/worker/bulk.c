#include "worker/bulk.h"

enum {
    BULK_BYTES = 512 * 1024, /* read or written; one wide block goes through for it */
    HEARD_AGAIN = 32         /* so many may be told the same at every turn: cheaper than to stop and start their watchers */
};

/* Nothing: while it is active the loop does not wait. */
static void on_idle(struct ev_loop *loop, ev_idle *idle, int events)
{
    (void)loop;
    (void)idle;
    (void)events;
}

void bulk_init(struct worker *w)
{
    lane_init(&w->bulk, BULK_BYTES);
    ev_idle_init(&w->bulk_idle, on_idle);
}

bool bulk_queue(struct conn *c, int events)
{
    struct worker *w = c->worker;
    bool waits_already = c->bulk.queued;

    if (c->transport.fd < 0 || !lane_waits(&w->bulk, &c->bulk, events))
        return false;
    COUNTER_ADD(w->bodies_waited, !waits_already);
    if (w->bulk.count > HEARD_AGAIN) {
        c->queued = true;
        conn_update_io(c);
    }
    ev_idle_start(w->loop, &w->bulk_idle);
    return true;
}

static void sleep_if_empty(struct worker *w)
{
    if (!w->bulk.count)
        ev_idle_stop(w->loop, &w->bulk_idle);
}

static void hear_again(struct conn *c)
{
    if (!c->queued)
        return;
    c->queued = false;
    conn_update_io(c);
}

void bulk_unqueue(struct conn *c)
{
    struct worker *w = c->worker;

    lane_leave(&w->bulk, &c->bulk);
    sleep_if_empty(w);
    hear_again(c);
}

void bulk_run(struct worker *w)
{
    struct lane_item *item;

    while ((item = lane_next(&w->bulk))) {
        struct conn *c = CONTAINER_OF(item, struct conn, bulk);

        hear_again(c);
        c->its_turn = true;
        ev_invoke(w->loop, &c->io, item->events);
        c->its_turn = false; /* it may be closed: memory lives until the turn's end */
    }
    sleep_if_empty(w);
}
