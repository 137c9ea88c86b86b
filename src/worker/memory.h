/* memory.h - how much of limits.buffer_memory a worker's buffers hold.
 *
 * From three quarters on it is short: no connection gets a large block where a small one does. At the whole it is full: new requests are
 * answered with 503, unread where their head would take a block; what is in progress goes on, with a few small blocks each, so that
 * the limit may be passed by these. What is not in blocks (requests, TLS, HTTP/2 sessions) is bounded by limits.connections.
 *
 * Thread: the worker's. */
#pragma once
#include "worker/worker_state.h"

/* Would it not be short with so many bytes more? */
static inline bool memory_has(const struct worker *w, uint64_t bytes)
{
    uint64_t most = worker_settings(w)->buffer_memory;

    return LIKELY(!most || w->blocks.taken_bytes + bytes < most / 4 * 3);
}

static inline bool memory_is_short(const struct worker *w)
{
    return !memory_has(w, 0);
}

static inline bool memory_is_full(const struct worker *w)
{
    uint64_t most = worker_settings(w)->buffer_memory;

    return UNLIKELY(most && w->blocks.taken_bytes >= most);
}
