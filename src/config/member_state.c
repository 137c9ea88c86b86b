#include "config/member_state.h"

static uint32_t session_fact(uint32_t posture)
{
    switch (posture & ROUTE_POSTURE_SESSION) {
    case ROUTE_DISCONNECTED:
        return EFFECTIVE_DISCONNECTED;
    case ROUTE_SUPERSEDED:
        return EFFECTIVE_SUPERSEDED;
    default:
        return EFFECTIVE_CONNECTED;
    }
}

static uint32_t health_fact(uint32_t posture)
{
    switch ((posture & ROUTE_POSTURE_HEALTH) >> ROUTE_POSTURE_HEALTH_SHIFT) {
    case ROUTE_HEALTH_HEALTHY:
        return EFFECTIVE_HEALTHY;
    case ROUTE_HEALTH_AWAITED:
        return EFFECTIVE_AWAITED;
    case ROUTE_HEALTH_DEGRADED:
        return EFFECTIVE_DEGRADED;
    case ROUTE_HEALTH_DOWN:
        return EFFECTIVE_DOWN;
    default:
        return EFFECTIVE_UNKNOWN;
    }
}

static uint32_t circuit_fact(const struct member *m, uint64_t now_ms)
{
    switch (circuit_look(&m->state->circuit, &m->circuit, now_ms)) {
    case CIRCUIT_LOOK_PASS:
        break;
    case CIRCUIT_LOOK_PROBE:
        return EFFECTIVE_PROBE;
    case CIRCUIT_LOOK_FULL:
        return EFFECTIVE_FULL;
    case CIRCUIT_LOOK_REFUSE:
        return EFFECTIVE_OPEN;
    }
    return EFFECTIVE_CLOSED;
}

static uint32_t load_fact(const struct member *m)
{
    return m->request_max && route_state_requests(m->state) >= m->request_max ? EFFECTIVE_BUSY : EFFECTIVE_ROOM;
}

/* part of whole, of EFFECTIVE_ALL. Past 2^47 ms (4,000 years) nothing is measured. */
static uint32_t share_of(uint64_t part, uint64_t whole)
{
    return part >= whole ? EFFECTIVE_ALL : (uint32_t)(part * EFFECTIVE_ALL / whole);
}

/* What a drain lets through; 0 once its time is over. */
static uint32_t drain_passes(struct route_drain drain, uint64_t now_ms)
{
    uint64_t elapsed = now_ms > drain.start_ms ? now_ms - drain.start_ms : 0;

    if (!drain.start_ms)
        return EFFECTIVE_ALL;
    return drain.length_ms ? EFFECTIVE_ALL - share_of(elapsed, drain.length_ms) : 0;
}

/* From a tenth to everything; EFFECTIVE_ALL when there is no slow start, or it is over. */
static uint32_t slow_share(const struct member *m, uint64_t now_ms)
{
    uint64_t since, elapsed;
    uint32_t share;

    if (!m->slow_start_ms)
        return EFFECTIVE_ALL;
    /* Relaxed: a number by itself. */
    since = atomic_load_explicit(&m->state->slow_since_ms, memory_order_relaxed);
    elapsed = now_ms > since ? now_ms - since : 0;
    if (!since || elapsed >= m->slow_start_ms)
        return EFFECTIVE_ALL;
    share = share_of(elapsed, m->slow_start_ms);
    return share < EFFECTIVE_ALL / 10 ? EFFECTIVE_ALL / 10 : share;
}

void member_state_read(const struct member *m, uint64_t now_ms, struct member_state *out)
{
    uint32_t posture = atomic_load_explicit(&m->state->posture, memory_order_acquire);
    uint32_t slow = slow_share(m, now_ms);
    struct route_drain drain = {0};

    out->draining = (posture & ROUTE_POSTURE_DRAINING) != 0;
    if (out->draining)
        drain = route_state_drain(m->state);
    out->drain_start_ms = drain.start_ms;
    out->passes = drain_passes(drain, now_ms);
    out->share = slow;
    out->facts = session_fact(posture) | health_fact(posture) | circuit_fact(m, now_ms) | load_fact(m) |
                 (out->draining ? EFFECTIVE_DRAIN_PASSED : EFFECTIVE_NO_DRAIN) |
                 (m->maintenance ? EFFECTIVE_IN_MAINTENANCE : EFFECTIVE_IN_SERVICE) |
                 (slow < EFFECTIVE_ALL ? EFFECTIVE_SLOW : EFFECTIVE_WARM);
    if (out->facts & EFFECTIVE_DEGRADED)
        out->share = (uint32_t)((uint64_t)slow * (posture >> ROUTE_POSTURE_SHARE_SHIFT) / EFFECTIVE_ALL);
}
