/* pace.h - does a peer give, or take, as many bytes a second as it has to?
 *
 * Only time in which it is the peer's turn counts: we are ready for its bytes, or have some that it does not take. Such time is cut
 * into windows. The first is a grace; each further one has to bring the rate, or the peer is slow. Nothing is looked at in between:
 * the caller sets a timer for pace_left and looks then.
 *
 * Thread: the caller's. Ownership: the caller's memory; zeroed is a start. Time: now_ms (monotonic, never 0). FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stdbool.h>
#include <stdint.h>
#endif

struct pace {
    uint64_t turn_ms;   /* since when it is the peer's turn; 0: it is not */
    uint64_t bytes;     /* that had passed when the window began */
    uint32_t waited_ms; /* turns of this window before that, at most UINT32_MAX */
    bool based;         /* the grace is over, bytes is known */
};

struct pace_rules {
    uint64_t rate;      /* bytes a second; 0: any */
    uint64_t window_ms; /* at least 1 */
};

enum pace_result {
    PACE_EARLY,  /* the window is not over */
    PACE_ENOUGH, /* it brought enough, or was the grace; the next begins */
    PACE_SLOW    /* it brought too little; the next begins */
};

/* Is it the peer's turn from now on? */
void pace_turn(struct pace *p, bool peers, uint64_t now_ms);

/* How much of its turn is left of the window; 0: it can be looked at. */
uint64_t pace_left(const struct pace *p, const struct pace_rules *rules, uint64_t now_ms);

/* bytes: passed so far, since whenever. Where they are fewer than before, what they counted has begun anew. */
enum pace_result pace_look(struct pace *p, uint64_t bytes, const struct pace_rules *rules, uint64_t now_ms);

/* The window begins anew: the peer could not do otherwise. */
void pace_restart(struct pace *p, uint64_t now_ms);
