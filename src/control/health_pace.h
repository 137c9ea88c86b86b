/* health_pace.h - first checks a few at a time.
 *
 * Thousands of routes may go live at once; their first checks are started at most
 * HEALTH_PACE_PER_TURN in HEALTH_PACE_TURN_MS, 2,000 a second, which spreads all later ones too. A
 * few are started in the next loop turn.
 *
 * Thread: control. Ownership: of control; members belong to who queues them. */
#pragma once
#include "base/list.h"
#include "base/random.h"
#include <ev.h>

enum { HEALTH_PACE_PER_TURN = 20, HEALTH_PACE_TURN_MS = 10 };

/* Somebody who waits for their turn. */
struct health_turn {
    struct list link;
    void (*run)(struct health_turn *turn);
};

struct health_pace {
    struct ev_loop *loop;
    struct list waiting; /* struct health_turn */
    ev_timer timer;      /* runs while somebody waits or did in the last turn */
    struct random random;
};

struct health_pace *health_pace_new(struct ev_loop *loop);
void health_pace_free(struct health_pace *pace); /* nobody waits; NULL is fine */

/* Runs turn->run once, in a later loop turn. */
void health_pace_wait(struct health_pace *pace, struct health_turn *turn);

/* It will not be run; harmless when it does not wait. */
void health_pace_leave(struct health_turn *turn);

/* Milliseconds, at most a tenth away from interval_ms, evenly spread. */
uint64_t health_pace_jitter(struct health_pace *pace, uint64_t interval_ms);
