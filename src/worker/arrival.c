#include "worker/arrival.h"

#include "worker/client.h"
#include "worker/request.h"

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = CONTAINER_OF(timer, struct worker, arrival_timer);
    struct list *node, *next;

    (void)events;
    LIST_EACH (node, next, &w->arrivals) {
        struct client *c = CONTAINER_OF(node, struct client, link);

        if (w->now_ms - c->since_ms < ARRIVAL_MS)
            break;
        list_remove(&c->link);
        list_push_back(&w->busy_clients, &c->link);
        arrival_watch(c);
    }
    if (list_empty(&w->arrivals))
        ev_timer_stop(loop, timer);
}

void arrivals_init(struct worker *w)
{
    list_init(&w->arrivals);
    ev_timer_init(&w->arrival_timer, on_timer, ARRIVAL_MS / 1000., ARRIVAL_MS / 1000.);
}

void arrival_begin(struct client *c)
{
    c->unwatched = true;
    ev_feed_event(c->conn.worker->loop, &c->conn.io, EV_READ | EV_CUSTOM); /* not one that the descriptor told of */
}

void arrival_settle(struct client *c)
{
    struct worker *w = c->conn.worker;

    if (c->phase == CLIENT_CLOSED)
        return;
    if (c->phase != CLIENT_REQUEST || !request_upload_done(c->request)) {
        arrival_watch(c);
        return;
    }
    list_remove(&c->link);
    list_push_back(&w->arrivals, &c->link);
    if (!ev_is_active(&w->arrival_timer))
        ev_timer_again(w->loop, &w->arrival_timer);
}

void arrival_watch(struct client *c)
{
    c->unwatched = false;
    conn_update_io(&c->conn);
}
