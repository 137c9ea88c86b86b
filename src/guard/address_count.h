/* address_count.h - how many connections each address has, exact over all workers.
 *
 * A table of buckets with chains of entries, one for each address that has any: nothing is ever forgotten, and memory is bounded
 * by what there is of connections. An IPv6 address counts by its first 64 bits, as one customer has them all; IPv4 within IPv6
 * is to be given as IPv4 (address_ip_bytes does that).
 *
 * Thread: any, concurrently. A call holds its bucket's spin lock for some tens of nanoseconds; entries are allocated and freed
 * outside of it. Ownership: address_count_new to address_count_free, which no other call may overlap; by then all has
 * been given back. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

enum {
    ADDRESS_COUNT_LOG2 = 14, /* a good size: 256 KiB, taken as addresses come */
    ADDRESS_COUNT_LOG2_MAX = 24
};

struct address_count;

/* A table of 2^log2 buckets. NULL: out of memory. */
MUST_USE struct address_count *address_count_new(unsigned log2);
void address_count_free(struct address_count *table); /* NULL is fine */

/* One more for this address (network order, ip_len 4 or 16), of at most `most`? False, too, when out of memory. */
MUST_USE bool address_count_take(struct address_count *table, const void *ip, size_t ip_len, uint64_t most);

/* One that was taken is over. */
void address_count_give(struct address_count *table, const void *ip, size_t ip_len);

/* How many it has; how many addresses have any. A moment later it may be another number. */
uint64_t address_count_of(struct address_count *table, const void *ip, size_t ip_len);
uint64_t address_count_addresses(const struct address_count *table);
