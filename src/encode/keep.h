/* keep.h - an allocator for one encoder, which keeps what the library frees, for its next stream.
 *
 * A library allocates the same few blocks for every stream. Some have no way to begin a new stream in the memory of the
 * last one (brotli), so their blocks go round here.
 *
 * Thread: the encoder's. Ownership: blocks belong to the library until keep_put, and are freed by keep_fini. */
#pragma once
#include <stddef.h>

enum { KEEP_BLOCKS = 32 };

struct keep {
    struct keep_block *free[KEEP_BLOCKS]; /* given back, for the next stream */
    unsigned count;
    size_t bytes; /* allocated in all */
};

/* A block of at least size bytes, not zeroed; NULL: out of memory. */
void *keep_take(struct keep *k, size_t size);

/* NULL is fine. */
void keep_put(struct keep *k, void *memory);

/* Frees what is kept; everything has to be given back before. */
void keep_fini(struct keep *k);
