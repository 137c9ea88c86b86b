#include "config/histogram.h"

enum { PARTS = 16, PARTS_LOG2 = 4 };

unsigned histogram_bucket(uint64_t us)
{
    unsigned power, bucket;

    if (us < PARTS)
        return (unsigned)us;
    power = 63 - (unsigned)__builtin_clzll(us);
    bucket =
        (power - PARTS_LOG2 + 1) * PARTS + (unsigned)(us >> (power - PARTS_LOG2) & (PARTS - 1));
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

uint64_t histogram_bucket_top(unsigned bucket)
{
    unsigned shift;

    if (bucket < PARTS)
        return bucket;
    shift = bucket / PARTS - 1;
    return ((uint64_t)(PARTS + bucket % PARTS + 1) << shift) - 1;
}

unsigned histogram_add(struct histogram *h, uint64_t us)
{
    unsigned bucket = histogram_bucket(us);
    _Atomic uint32_t *slot = &h->buckets[bucket];

    /* Relaxed loads and stores: there is one writer, and readers want each number by itself. */
    atomic_store_explicit(slot, atomic_load_explicit(slot, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    return bucket;
}

void histogram_merge(struct histogram_sum *sum, const struct histogram *h)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint32_t n = atomic_load_explicit(&h->buckets[i], memory_order_relaxed);

        sum->buckets[i] += n;
        sum->count += n;
    }
}

uint64_t histogram_percentile(const struct histogram_sum *sum, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)sum->count);
    uint64_t seen = 0;

    if (sum->count == 0)
        return 0;
    if ((double)wanted < share * (double)sum->count || wanted == 0)
        wanted++;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += sum->buckets[i];
        if (seen >= wanted)
            return histogram_bucket_top(i);
    }
    return histogram_bucket_top(HISTOGRAM_BUCKETS - 1);
}
