#include "config/route_state.h"

#include "base/hash.h"
#include "base/need.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

/* Zeroed memory that shares no cache line with another allocation. */
static void *alloc_lines(size_t alignment, size_t size)
{
    void *p;

    size = (size + alignment - 1) & ~(alignment - 1);
    p = need_aligned(alignment, size);
    memset(p, 0, size);
    return p;
}

struct route_state *route_state_new(const char *session_id, const char *route_id,
                                    const char *service, const char *instance,
                                    unsigned worker_count)
{
    struct route_state *s;

    ASSERT_CONTROL();
    s = alloc_lines(_Alignof(struct route_state), sizeof(*s) + worker_count * sizeof(s->local[0]));
    s->refs = 1;
    s->worker_count = worker_count;
    s->identity =
        hash_bytes(route_id, strlen(route_id), hash_bytes(session_id, strlen(session_id), 0));
    snprintf(s->route_id, sizeof(s->route_id), "%s", route_id);
    snprintf(s->service, sizeof(s->service), "%s", service);
    snprintf(s->instance, sizeof(s->instance), "%s", instance);
    return s;
}

struct route_state *route_state_ref(struct route_state *s)
{
    ASSERT_CONTROL();
    CHECK(s->refs > 0);
    s->refs++;
    return s;
}

void route_state_unref(struct route_state *s)
{
    ASSERT_CONTROL();
    if (!s)
        return;
    CHECK(s->refs > 0);
    if (--s->refs > 0)
        return;
    CHECK(!s->health && !s->watch && !s->panic && !s->placed && !s->touched);
    /* Relaxed: no snapshot carries the state any more, so its workers gave their leases back by
     * message, which ordered all they did before this. */
    for (unsigned i = 0; i < s->worker_count; i++)
        free(atomic_load_explicit(&s->local[i].rest, memory_order_relaxed));
    free(s);
}

/* Control is the only writer. Release: what was set before a posture is seen with it. */
static void set_posture(struct route_state *s, uint32_t mask, uint32_t value)
{
    uint32_t posture = atomic_load_explicit(&s->posture, memory_order_relaxed);

    ASSERT_CONTROL();
    atomic_store_explicit(&s->posture, (posture & ~mask) | value, memory_order_release);
}

void route_state_set_session(struct route_state *s, enum route_session session)
{
    set_posture(s, ROUTE_POSTURE_SESSION, session);
}

void route_state_set_health(struct route_state *s, enum route_health health, uint32_t share)
{
    uint32_t value = (uint32_t)health << ROUTE_POSTURE_HEALTH_SHIFT;

    if (health == ROUTE_HEALTH_DEGRADED)
        value |= share << ROUTE_POSTURE_SHARE_SHIFT;
    set_posture(s, ~(uint32_t)(ROUTE_POSTURE_SESSION | ROUTE_POSTURE_DRAINING), value);
}

/* Length before start: a reader that sees the start sees its length. */
void route_state_set_drain(struct route_state *s, uint64_t start_ms, uint64_t length_ms)
{
    atomic_store_explicit(&s->drain_start_ms, 0, memory_order_relaxed);
    atomic_store_explicit(&s->drain_length_ms, length_ms, memory_order_release);
    atomic_store_explicit(&s->drain_start_ms, start_ms, memory_order_release);
    set_posture(s, ROUTE_POSTURE_DRAINING, start_ms ? ROUTE_POSTURE_DRAINING : 0);
}

/* A start that is the same before and after its length was read belongs to it: between two drains it
 * is 0, and no two of them start in the same millisecond with different lengths. */
struct route_drain route_state_drain(const struct route_state *s)
{
    struct route_drain drain;
    uint64_t again = atomic_load_explicit(&s->drain_start_ms, memory_order_acquire);

    do {
        drain.start_ms = again;
        drain.length_ms = atomic_load_explicit(&s->drain_length_ms, memory_order_acquire);
        again = atomic_load_explicit(&s->drain_start_ms, memory_order_acquire);
    } while (drain.start_ms != again);
    return drain;
}

void route_state_start_slowly(struct route_state *s, uint64_t now_ms)
{
    atomic_store_explicit(&s->slow_since_ms, now_ms, memory_order_relaxed);
}

enum route_session route_state_session(const struct route_state *s)
{
    uint32_t posture = atomic_load_explicit(&s->posture, memory_order_acquire);

    return (enum route_session)(posture & ROUTE_POSTURE_SESSION);
}

enum route_health route_state_health(const struct route_state *s)
{
    uint32_t posture = atomic_load_explicit(&s->posture, memory_order_acquire);

    return (enum route_health)((posture & ROUTE_POSTURE_HEALTH) >> ROUTE_POSTURE_HEALTH_SHIFT);
}

/* Apart, so that route_state_local is short. Release: control's acquire in rest_of sees it zeroed. */
static __attribute__((noinline)) struct route_local *with_rest(struct route_local *local)
{
    atomic_store_explicit(&local->rest, alloc_lines(CACHE_LINE, sizeof(struct route_rest)), memory_order_release);
    return local;
}

struct route_local *route_state_local(struct route_state *s, unsigned worker)
{
    struct route_local *local = &s->local[worker];

    CHECK(worker < s->worker_count);
    /* Relaxed: only this worker stores here. */
    return LIKELY(atomic_load_explicit(&local->rest, memory_order_relaxed)) ? local : with_rest(local);
}

/* Relaxed, here and below: a number by itself. */
static bool take_place(_Atomic uint32_t *places, uint32_t max)
{
    uint32_t taken = atomic_load_explicit(places, memory_order_relaxed);

    do
        if (max && taken >= max)
            return false;
    while (!atomic_compare_exchange_weak_explicit(places, &taken, taken + 1, memory_order_relaxed,
                                                  memory_order_relaxed));
    return true;
}

bool route_state_take_tunnel(struct route_state *s, uint32_t max)
{
    return take_place(&s->tunnel_places, max);
}

void route_state_give_tunnel(struct route_state *s)
{
    atomic_fetch_sub_explicit(&s->tunnel_places, 1, memory_order_relaxed);
}

bool route_state_take_request(struct route_state *s, uint32_t max)
{
    return take_place(&s->request_places, max);
}

void route_state_give_request(struct route_state *s)
{
    atomic_fetch_sub_explicit(&s->request_places, 1, memory_order_relaxed);
}

uint32_t route_state_requests(const struct route_state *s)
{
    return atomic_load_explicit(&s->request_places, memory_order_relaxed);
}

/* NULL: the worker has none yet. Acquire: see route_state_local. */
static const struct route_rest *rest_of(const struct route_state *s, unsigned worker)
{
    return atomic_load_explicit(&s->local[worker].rest, memory_order_acquire);
}

uint64_t route_state_successes(const struct route_state *s)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < s->worker_count; i++)
        sum += atomic_load_explicit(&s->local[i].successes, memory_order_relaxed);
    return sum;
}

void route_state_window(const struct route_state *s, uint64_t window_ms, uint64_t now_ms,
                        uint64_t *requests, uint64_t *failures)
{
    *requests = *failures = 0;
    for (unsigned i = 0; i < s->worker_count; i++) {
        const struct route_rest *rest = rest_of(s, i);

        if (rest)
            failure_window_sum(&rest->window, window_ms, now_ms, requests, failures);
    }
}

#define ADD(from, field) out->field += atomic_load_explicit(&(from)->field, memory_order_relaxed)

static void add_local(struct route_totals *out, const struct route_local *local)
{
    ADD(local, requests);
    ADD(local, errors);
    ADD(local, bytes_sent);
    ADD(local, bytes_received);
    ADD(local, connects);
    ADD(local, connect_errors);
    ADD(local, retries);
    ADD(local, turned_by_drain);
    ADD(local, turned_by_circuit);
    ADD(local, turned_by_ratelimit);
    ADD(local, successes);
    ADD(local, in_flight);
    out->statuses[200 - STATUS_MIN] += atomic_load_explicit(&local->oks, memory_order_relaxed);
    out->latency.sum_us += atomic_load_explicit(&local->latency_us, memory_order_relaxed);
}

static void add_rest(struct route_totals *out, const struct route_rest *rest)
{
    ADD(rest, turned_by_maintenance);
    ADD(rest, turned_by_health);
    ADD(rest, shadowed_by_ratelimit);
    ADD(rest, panicked);
    ADD(rest, turned_by_tunnels);
    ADD(rest, turned_by_requests);
    ADD(rest, tunnels);
    ADD(rest, tunnels_open);
    ADD(rest, policy_failures);
    ADD(rest, policy_skipped);
    ADD(rest, compressed);
    ADD(rest, compressed_in);
    ADD(rest, compressed_out);
    ADD(rest, compress_skipped);
    ADD(rest, probes);
    for (unsigned i = 0; i < STATUS_SLOTS; i++)
        ADD(rest, statuses[i]);
    histogram_merge(&out->latency, &rest->latency);
}

#undef ADD

void route_state_sum(const struct route_state *s, struct route_totals *out)
{
    ASSERT_CONTROL();
    *out = (struct route_totals){0};
    for (unsigned i = 0; i < s->worker_count; i++) {
        const struct route_rest *rest = rest_of(s, i);

        add_local(out, &s->local[i]);
        if (rest)
            add_rest(out, rest);
    }
}

uint64_t route_state_in_flight(const struct route_state *s)
{
    uint64_t sum = 0;

    ASSERT_CONTROL();
    for (unsigned i = 0; i < s->worker_count; i++)
        sum += atomic_load_explicit(&s->local[i].in_flight, memory_order_relaxed);
    return sum;
}

uint64_t route_state_turned_by_drain(const struct route_state *s)
{
    uint64_t sum = 0;

    ASSERT_CONTROL();
    for (unsigned i = 0; i < s->worker_count; i++)
        sum += atomic_load_explicit(&s->local[i].turned_by_drain, memory_order_relaxed);
    return sum;
}
