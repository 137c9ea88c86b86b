/* late.h - time-outs after the process did not run: it was suspended, or had no processor.
 *
 * What came meanwhile is still unread then, and the loop may see its timers first: SIGCONT ends epoll_wait with nothing in
 * hand. So a time-out that fires far too late waits a moment longer, in which the loop hears what has come.
 *
 * Thread: the loop's. Time: the loop's, monotonic. */
#pragma once
#include <ev.h>
#include <stdbool.h>

#define LATE_S .1
#define LATE_HEARS_S .1

/* A timer that measures a time-out: what has come in the same turn is heard first. After ev_timer_init or ev_init. */
static inline void late_init(ev_timer *timer)
{
    ev_set_priority(timer, EV_MINPRI);
}

/* First in the callback of such a timer, which does not repeat: true when it fires again soon instead. That happens once
 * for each time that it is set; until then repeat, which these timers have no other use for, says so. */
static inline bool late_put_off(struct ev_loop *loop, ev_timer *timer)
{
    if (timer->repeat > 0.) {
        ev_timer_stop(loop, timer);
        return false;
    }
    if (ev_timer_remaining(loop, timer) > -LATE_S)
        return false;
    ev_timer_set(timer, LATE_HEARS_S, LATE_HEARS_S);
    ev_timer_start(loop, timer);
    return true;
}
