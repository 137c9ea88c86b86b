#include "guard/failure_window.h"

enum { FAILURES_SHIFT = 32 };

static const uint64_t ONE_REQUEST = 1, ONE_FAILURE = (uint64_t)1 << FAILURES_SHIFT;

/* The slot for now. The oldest is taken anew when the newest is full: all slots begin a width or
 * more apart, so that one ended a whole window ago. */
static struct failure_window_slot *current_slot(struct failure_window *w, uint64_t window_ms,
                                                uint64_t now_ms)
{
    uint64_t width_ms = window_ms / FAILURE_WINDOW_SLOTS + (window_ms % FAILURE_WINDOW_SLOTS != 0);
    struct failure_window_slot *slot = &w->slots[w->newest];

    /* Relaxed: only this thread stores. */
    if (now_ms < atomic_load_explicit(&slot->start_ms, memory_order_relaxed) + width_ms)
        return slot;
    w->newest = (w->newest + 1) % FAILURE_WINDOW_SLOTS;
    slot = &w->slots[w->newest];
    atomic_store_explicit(&slot->counts, 0, memory_order_relaxed);
    /* Release: who sees the new start does not see the old counts. */
    atomic_store_explicit(&slot->start_ms, now_ms, memory_order_release);
    return slot;
}

void failure_window_add(struct failure_window *w, bool failed, uint64_t window_ms, uint64_t now_ms)
{
    struct failure_window_slot *slot = current_slot(w, window_ms, now_ms);
    uint64_t counts = atomic_load_explicit(&slot->counts, memory_order_relaxed);

    if ((uint32_t)counts == UINT32_MAX)
        return;
    /* Relaxed: the pair is one value, and nothing else hangs on it. */
    atomic_store_explicit(&slot->counts, counts + ONE_REQUEST + (failed ? ONE_FAILURE : 0),
                          memory_order_relaxed);
}

void failure_window_sum(const struct failure_window *w, uint64_t window_ms, uint64_t now_ms,
                        uint64_t *requests, uint64_t *failures)
{
    for (unsigned i = 0; i < FAILURE_WINDOW_SLOTS; i++) {
        const struct failure_window_slot *slot = &w->slots[i];
        /* Acquire: pairs with the release in current_slot. */
        uint64_t start_ms = atomic_load_explicit(&slot->start_ms, memory_order_acquire);
        uint64_t counts;

        if (now_ms >= start_ms && now_ms - start_ms >= window_ms)
            continue;
        counts = atomic_load_explicit(&slot->counts, memory_order_relaxed);
        *requests += (uint32_t)counts;
        *failures += counts >> FAILURES_SHIFT;
    }
}
