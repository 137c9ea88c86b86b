/* buf.h - a window of bytes in one block of memory: data[start, end) is filled, data[end, cap) is
 * free.
 *
 * Thread: the one that owns the block. Ownership: the block comes from a block_pool and goes back
 * to it when the window is empty and its owner idles; data == NULL means no block is held.
 * FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdint.h>
#endif

struct buf {
    char *data;     /* block, or NULL */
    uint32_t start; /* first filled byte */
    uint32_t end;   /* one past the last filled byte */
    uint32_t cap;   /* bytes in the block */
};

#ifndef FFI_CDEF
static inline size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}

static inline size_t buf_room(const struct buf *b)
{
    return b->cap - b->end;
}

static inline char *buf_head(const struct buf *b)
{
    return b->data + b->start;
}

static inline char *buf_tail(const struct buf *b)
{
    return b->data + b->end;
}

/* Drops n bytes from the front; an emptied window starts again at the front of its block. */
static inline void buf_consume(struct buf *b, size_t n)
{
    CHECK(n <= buf_len(b));
    b->start += (uint32_t)n;
    if (b->start == b->end)
        b->start = b->end = 0;
}

/* Moves the filled bytes to the front of the block. */
static inline void buf_compact(struct buf *b)
{
    if (b->start == 0)
        return;
    memmove(b->data, b->data + b->start, buf_len(b));
    b->end -= b->start;
    b->start = 0;
}

/* Appends n bytes; false, and nothing appended, when they do not fit. */
static inline MUST_USE bool buf_append(struct buf *b, const void *bytes, size_t n)
{
    if (buf_room(b) < n)
        return false;
    if (n)
        memcpy(b->data + b->end, bytes, n);
    b->end += (uint32_t)n;
    return true;
}
#endif
