#include "worker/deadline_timer.h"

#include "worker/conn.h"

/* A deadline that is noticed this much too late says that the process did not run, and for how long what came meanwhile may
 * take to be heard: the loop hears of some 64 descriptors in a turn. */
enum { LATE_MS = 100, HEAR_MS = 100 };

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = CONTAINER_OF(timer, struct worker, deadline_timer);
    struct deadline *d;
    uint64_t late_ms;

    (void)loop;
    (void)events;
    ASSERT_WORKER(w);
    w->deadline_look_ms = DEADLINE_NONE;
    while ((d = deadlines_take(&w->deadlines, w->now_ms, &late_ms))) {
        struct conn *c = CONTAINER_OF(d, struct conn, deadline);

        if (UNLIKELY(!c->excused && late_ms >= LATE_MS)) {
            c->excused = true;
            deadlines_put_off(&w->deadlines, d, w->now_ms + HEAR_MS);
        } else {
            conn_owner(c)->on_late(c);
        }
    }
}

void deadline_timer_init(struct worker *w)
{
    deadlines_init(&w->deadlines);
    w->deadline_look_ms = DEADLINE_NONE;
    ev_timer_init(&w->deadline_timer, on_timer, 0., 0.);
    ev_set_priority(&w->deadline_timer, EV_MINPRI); /* what has come is heard before a time-out */
}

void deadline_timer_arm(struct worker *w)
{
    uint64_t look_ms = w->deadlines.next_ms, delay_ms = look_ms > w->now_ms ? look_ms - w->now_ms : 0;

    w->deadline_look_ms = look_ms;
    ev_timer_stop(w->loop, &w->deadline_timer);
    ev_timer_set(&w->deadline_timer, (double)(delay_ms + 1) / 1000., 0.); /* not in the millisecond before */
    ev_timer_start(w->loop, &w->deadline_timer);
}

void deadline_timer_fini(struct worker *w)
{
    ev_timer_stop(w->loop, &w->deadline_timer);
    deadlines_fini(&w->deadlines);
}
