/* histogram.h - latencies in buckets of about 6 % width, mergeable over workers (log-linear, the scheme of
 * HdrHistogram: powers of two, each cut in 16 equal parts).
 *
 * Thread: a struct histogram has one writer and any readers; a histogram_sum belongs to its reader.
 * Units: microseconds, up to about 4,300 s; larger ones count in the last bucket. */
#ifndef FFI_CDEF
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#endif

enum { HISTOGRAM_BUCKETS = 16 + 28 * 16 };

#ifndef FFI_CDEF
struct histogram {
    _Atomic uint64_t sum_us;                     /* of all values */
    _Atomic uint32_t buckets[HISTOGRAM_BUCKETS]; /* values by bucket */
};

void histogram_add(struct histogram *h, uint64_t us);
#endif

struct histogram_sum {
    uint64_t count;
    uint64_t sum_us;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

#ifndef FFI_CDEF
/* Adds all of h to *sum. */
void histogram_merge(struct histogram_sum *sum, const struct histogram *h);
#endif

/* The bucket of a value, and the highest value of a bucket. */
unsigned histogram_bucket(uint64_t us);
uint64_t histogram_bucket_top(unsigned bucket);

/* The value below or at which the given share (0..1) of all values lies; 0 when there are none. */
uint64_t histogram_percentile(const struct histogram_sum *sum, double share);
