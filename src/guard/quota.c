#include "guard/quota.h"

/* Relaxed, all: a number by itself. */
bool quota_take(struct quota *q, uint64_t most)
{
    uint64_t used = atomic_load_explicit(&q->used, memory_order_relaxed);

    do
        if (used >= most)
            return false;
    while (!atomic_compare_exchange_weak_explicit(&q->used, &used, used + 1, memory_order_relaxed,
                                                  memory_order_relaxed));
    return true;
}

void quota_give(struct quota *q)
{
    CHECK(atomic_fetch_sub_explicit(&q->used, 1, memory_order_relaxed) > 0);
}

uint64_t quota_used(const struct quota *q)
{
    return atomic_load_explicit(&q->used, memory_order_relaxed);
}
