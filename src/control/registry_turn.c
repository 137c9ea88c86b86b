/* Whose turn it is: lines and handshakes of all connections share the control thread, and leave time for the rest. */
#include "base/clock.h"
#include "control/control.h"
#include "control/registry_state.h"

enum {
    LINES_US = 5000,      /* a turn's lines; what is left waits for the next one */
    HANDSHAKES_US = 2000, /* and its steps of handshakes */
    LINES_MAX = 64        /* of one connection in a row, when it is alone; fewer the more wait */
};

static void start_busy(struct registry *r)
{
    if (!ev_is_active(&r->busy))
        ev_idle_start(r->control->loop, &r->busy);
}

void registry_again(struct registry *r, struct connection *conn)
{
    ASSERT_CONTROL();
    if (!list_empty(&conn->due))
        return;
    list_push_back(&r->due, &conn->due);
    conn->lines_due = true;
    r->due_count++;
    start_busy(r);
}

void registry_handshake_due(struct registry *r, struct connection *conn)
{
    ASSERT_CONTROL();
    if (!list_empty(&conn->due))
        return;
    list_push_back(&r->handshakes, &conn->due);
    start_busy(r);
}

void registry_not_due(struct registry *r, struct connection *conn)
{
    ASSERT_CONTROL();
    r->due_count -= conn->lines_due;
    conn->lines_due = false;
    list_remove(&conn->due);
}

/* One after the other, each a share of what a turn may run: who sends a line waits for one share of each other at most. */
static void run_lines(struct registry *r)
{
    uint64_t until_us = clock_us() + LINES_US;

    while (!list_empty(&r->due) && clock_us() < until_us) {
        struct connection *conn = CONTAINER_OF(r->due.next, struct connection, due);
        unsigned lines = LINES_MAX / r->due_count;

        registry_not_due(r, conn);
        connection_run(conn, lines ? lines : 1, until_us);
    }
}

static void run_handshakes(struct registry *r)
{
    uint64_t until_us = clock_us() + HANDSHAKES_US;

    while (!list_empty(&r->handshakes) && clock_us() < until_us) {
        struct connection *conn = CONTAINER_OF(r->handshakes.next, struct connection, due);

        registry_not_due(r, conn);
        connection_shake_hands(conn);
    }
}

static void on_turn(struct ev_loop *loop, ev_check *check, int events)
{
    struct registry *r = check->data;

    (void)events;
    if (list_empty(&r->due) && list_empty(&r->handshakes))
        return;
    run_lines(r);
    run_handshakes(r);
    if (list_empty(&r->due) && list_empty(&r->handshakes))
        ev_idle_stop(loop, &r->busy);
}

static void on_busy(struct ev_loop *loop, ev_idle *idle, int events)
{
    (void)loop;
    (void)idle;
    (void)events;
}

static void free_closed(struct registry *r)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &r->closed)
        connection_free(CONTAINER_OF(node, struct connection, link));
}

static void on_reap(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)events;
    free_closed(watcher->data);
    ev_prepare_stop(loop, watcher);
}

void registry_turn_init(struct registry *r)
{
    list_init(&r->due);
    list_init(&r->handshakes);
    ev_check_init(&r->turn, on_turn);
    ev_set_priority(&r->turn, EV_MINPRI); /* behind all that a turn brings */
    ev_idle_init(&r->busy, on_busy);
    ev_prepare_init(&r->reap, on_reap);
    r->turn.data = r->busy.data = r->reap.data = r;
    ev_check_start(r->control->loop, &r->turn);
}

void registry_turn_fini(struct registry *r)
{
    free_closed(r);
    ev_check_stop(r->control->loop, &r->turn);
    ev_idle_stop(r->control->loop, &r->busy);
    ev_prepare_stop(r->control->loop, &r->reap);
}
