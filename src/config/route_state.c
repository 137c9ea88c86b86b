#include "config/route_state.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

/* Zeroed memory that shares no cache line with another allocation; NULL when there is none. */
static void *alloc_lines(size_t size)
{
    void *p;

    size = (size + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
    p = aligned_alloc(CACHE_LINE, size);
    if (p)
        memset(p, 0, size);
    return p;
}

struct route_state *route_state_new(const char *session_id, const char *route_id,
                                    const char *service, const char *instance,
                                    unsigned worker_count)
{
    struct route_state *s;

    ASSERT_CONTROL();
    s = alloc_lines(sizeof(*s) + worker_count * sizeof(s->local[0]));
    CHECK(s);
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
    /* Relaxed: no snapshot carries the state any more, so its workers gave their leases back by
     * message, which ordered all they did before this. */
    for (unsigned i = 0; i < s->worker_count; i++)
        free(atomic_load_explicit(&s->local[i], memory_order_relaxed));
    free(s);
}

void route_state_set_standing(struct route_state *s, enum route_standing standing)
{
    ASSERT_CONTROL();
    atomic_store_explicit(&s->standing, standing, memory_order_release);
}

struct route_local *route_state_local(struct route_state *s, unsigned worker)
{
    struct route_local *local;

    CHECK(worker < s->worker_count);
    /* Relaxed: only this worker stores here. */
    local = atomic_load_explicit(&s->local[worker], memory_order_relaxed);
    if (LIKELY(local))
        return local;
    local = alloc_lines(sizeof(*local));
    /* Release: control's acquire in route_state_sum sees it zeroed. */
    atomic_store_explicit(&s->local[worker], local, memory_order_release);
    return local;
}

static void add_local(struct route_totals *out, const struct route_local *local)
{
#define ADD(field) out->field += atomic_load_explicit(&local->field, memory_order_relaxed)
    ADD(requests);
    ADD(errors);
    ADD(bytes_sent);
    ADD(bytes_received);
    ADD(connects);
    ADD(connect_errors);
    ADD(retries);
    ADD(in_flight);
    for (unsigned i = 0; i < STATUS_SLOTS; i++)
        ADD(statuses[i]);
#undef ADD
    histogram_merge(&out->latency, &local->latency);
}

void route_state_sum(const struct route_state *s, struct route_totals *out)
{
    ASSERT_CONTROL();
    *out = (struct route_totals){0};
    for (unsigned i = 0; i < s->worker_count; i++) {
        const struct route_local *local = atomic_load_explicit(&s->local[i], memory_order_acquire);

        if (local)
            add_local(out, local);
    }
}
