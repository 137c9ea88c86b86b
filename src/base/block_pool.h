/* block_pool.h - blocks of memory in three sizes, kept for reuse.
 *
 * A page fault costs more than a request's own work, so blocks go round instead of back to malloc: a
 * free block is kept on a list of its size, up to a cap; more than that is given back, and what lately nobody needed.
 *
 * Thread: one pool a worker, touched by that worker only. Ownership: a block belongs to the struct buf
 * that took it until block_pool_release. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/buf.h"
#include "base/spares.h"
#endif

/* In use at once: the connections that have none go through large ones, for a little more time and a quarter of the memory. */
enum { BLOCK_POOL_WIDE_MOST = 64 };

struct block_pool {
    struct spares small;  /* free blocks of small_size bytes */
    struct spares large;  /* free blocks of large_size bytes */
    struct spares wide;   /* free blocks of wide_size bytes */
    uint32_t small_size;  /* bytes of a small block */
    uint32_t large_size;  /* bytes of a large block */
    uint32_t wide_size;   /* bytes of a wide block */
    uint32_t wide_taken;  /* wide blocks that users hold */
    uint64_t taken_bytes; /* bytes held by users now */
};

/* An empty pool. Large and wide blocks have the sizes given, or twice the next smaller one's where that is more. keep_bytes bounds
 * what each list may hold back from malloc. */
void block_pool_init(struct block_pool *pool, uint32_t small_size, uint32_t large_size, uint32_t wide_size,
                     uint32_t keep_bytes);

/* Gives all kept blocks back. Blocks still held by users are theirs to release before. */
void block_pool_fini(struct block_pool *pool);

#ifdef FFI_CDEF
bool block_pool_take(struct block_pool *pool, struct buf *b);
void block_pool_release(struct block_pool *pool, struct buf *b);
#else
/* An empty block of that size in *b, which held none. False: out of memory. For this file. */
MUST_USE bool block_pool_new(struct block_pool *pool, struct buf *b, uint32_t size);

inline struct spares *block_pool_list(struct block_pool *pool, uint32_t size)
{
    if (LIKELY(size == pool->small_size))
        return &pool->small;
    return size == pool->large_size ? &pool->large : &pool->wide;
}

/* Gives *b an empty small block, if it holds none. False: out of memory. */
inline MUST_USE bool block_pool_take(struct block_pool *pool, struct buf *b)
{
    if (b->data)
        return true;
    b->data = spares_take(&pool->small);
    if (UNLIKELY(!b->data))
        return block_pool_new(pool, b, pool->small_size);
    b->start = b->end = 0;
    b->cap = pool->small_size;
    pool->taken_bytes += b->cap;
    return true;
}

/* Takes the block back, with whatever is in it; *b holds none afterwards. */
inline void block_pool_release(struct block_pool *pool, struct buf *b)
{
    if (!b->data)
        return;
    CHECK(pool->taken_bytes >= b->cap);
    pool->taken_bytes -= b->cap;
    pool->wide_taken -= b->cap == pool->wide_size;
    spares_give(block_pool_list(pool, b->cap), b->data);
    *b = (struct buf){0};
}
#endif

/* Moves *b into a large block, its bytes kept and compacted; one that holds more stays. False: out of memory, *b unchanged. */
MUST_USE bool block_pool_enlarge(struct block_pool *pool, struct buf *b);

/* Swaps the block of an empty *b for a wide one, or for a large one. Where there is none to be had it keeps the one it has. */
void block_pool_widen(struct block_pool *pool, struct buf *b);
void block_pool_narrow(struct block_pool *pool, struct buf *b);

/* Gives blocks back that nobody needed lately (spares_trim). */
void block_pool_trim(struct block_pool *pool);
