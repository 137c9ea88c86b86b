/* deadline_timer.h - one timer for the deadlines of all connections of a worker (base/deadlines.h).
 *
 * Thread: the worker's. Ownership: heap and timer are the worker's, deadlines the conns'. Time: milliseconds, worker.now_ms. */
#pragma once
#include "worker/worker_state.h"

void deadline_timer_init(struct worker *w);

/* It fires too late. */
void deadline_timer_arm(struct worker *w);

/* Right before the loop waits: it fires when the earliest is to be looked at. */
static inline void deadline_timer_check(struct worker *w)
{
    if (UNLIKELY(w->deadlines.next_ms < w->deadline_look_ms))
        deadline_timer_arm(w);
}

void deadline_timer_fini(struct worker *w);
