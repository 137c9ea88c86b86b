/* histogram.h - latencies in buckets of about 6 % width, mergeable over workers (log-linear, the
 * scheme of HdrHistogram: powers of two, each cut in 16 equal parts).
 *
 * Thread: a struct histogram has one writer and any readers; a histogram_sum belongs to its reader.
 * Units: microseconds, up to about 4,300 s; larger ones count in the last bucket.
 * FFI-clean. */
#ifdef FFI_CDEF
#define _Atomic /* LuaJIT's FFI knows no atomics; the layout is the same */
#else
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#endif

enum { HISTOGRAM_BUCKETS = 16 + 28 * 16 };

struct histogram {
    _Atomic uint32_t buckets[HISTOGRAM_BUCKETS]; /* how many values */
};

/* Writer: one value more. Returns its bucket. */
unsigned histogram_add(struct histogram *h, uint64_t us);

struct histogram_sum {
    uint64_t count;
    uint64_t sum_us; /* of all values; added up by who counts them */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Adds all buckets of h to *sum. */
void histogram_merge(struct histogram_sum *sum, const struct histogram *h);

/* The bucket of a value, and the highest value of a bucket. */
unsigned histogram_bucket(uint64_t us);
uint64_t histogram_bucket_top(unsigned bucket);

/* The value below or at which the given share (0..1) of all values lies; 0 when there are none. */
uint64_t histogram_percentile(const struct histogram_sum *sum, double share);
