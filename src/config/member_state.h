/* member_state.h - the state of a member at one moment, as facts for guard/effective.h.
 *
 * One reading for workers, which choose by it, and for control, which tells of it.
 *
 * Thread: any that may use the member's snapshot. Time: callers pass now_ms (monotonic). */
#pragma once
#include "config/snapshot.h"
#include "guard/effective.h"

struct member_state {
    uint32_t facts;    /* EFFECTIVE_* bits, one of each dimension; a drain counts as passed */
    bool draining;     /* a draw at or above passes makes it EFFECTIVE_DRAIN_TURNED */
    uint64_t drain_start_ms; /* the same for all members of one session */
    uint32_t passes;   /* what a drain lets through, of EFFECTIVE_ALL */
    uint32_t share;    /* of EFFECTIVE_ALL, for EFFECTIVE_USE_SHARED: health's times slow start's */
};

void member_state_read(const struct member *m, uint64_t now_ms, struct member_state *out);

/* Nothing is the matter with it: as good as any, without a closer look. */
static inline bool member_state_is_plain(const struct member *m)
{
    /* Acquire: what was set before the posture is seen with it. */
    uint32_t posture = atomic_load_explicit(&m->state->posture, memory_order_acquire);

    return (posture & ~(uint32_t)ROUTE_POSTURE_GOOD) == 0 && !m->slow_start_ms && !m->maintenance && !m->request_max &&
           circuit_look(&m->state->circuit, &m->circuit, 0) == CIRCUIT_LOOK_PASS;
}
