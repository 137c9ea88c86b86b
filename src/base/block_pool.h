/* block_pool.h - blocks of memory in two sizes, kept for reuse.
 *
 * A page fault costs more than a request's own work, so blocks go round instead of back to malloc: a
 * free block is kept on a list of its size, up to a cap; more than that is given back, and what lately nobody needed.
 *
 * Thread: one pool a worker, touched by that worker only. Ownership: a block belongs to the struct buf
 * that took it until block_pool_release. */
#pragma once
#include "base/buf.h"
#include "base/spares.h"

struct block_pool {
    struct spares small;  /* free blocks of small_size bytes */
    struct spares large;  /* free blocks of large_size bytes */
    uint32_t small_size;  /* bytes of a small block */
    uint32_t large_size;  /* bytes of a large block */
    uint64_t taken_bytes; /* bytes held by users now */
};

/* An empty pool. keep_bytes bounds what each list may hold back from malloc. */
void block_pool_init(struct block_pool *pool, uint32_t small_size, uint32_t large_size,
                     uint32_t keep_bytes);

/* Gives all kept blocks back. Blocks still held by users are theirs to release before. */
void block_pool_fini(struct block_pool *pool);

/* A new block, where none is kept. NULL: out of memory. For this file. */
char *block_pool_new_block(uint32_t size);

/* Gives *b an empty small block, if it holds none. False: out of memory. */
static inline MUST_USE bool block_pool_take(struct block_pool *pool, struct buf *b)
{
    if (b->data)
        return true;
    b->data = spares_take(&pool->small);
    if (UNLIKELY(!b->data))
        b->data = block_pool_new_block(pool->small_size);
    if (UNLIKELY(!b->data))
        return false;
    b->start = b->end = 0;
    b->cap = pool->small_size;
    pool->taken_bytes += b->cap;
    return true;
}

/* Moves *b into a large block, its bytes kept and compacted. False: out of memory, *b unchanged. */
MUST_USE bool block_pool_enlarge(struct block_pool *pool, struct buf *b);

/* Gives blocks back that nobody needed lately (spares_trim). */
void block_pool_trim(struct block_pool *pool);

/* Takes the block back, with whatever is in it; *b holds none afterwards. */
static inline void block_pool_release(struct block_pool *pool, struct buf *b)
{
    if (!b->data)
        return;
    CHECK(pool->taken_bytes >= b->cap);
    pool->taken_bytes -= b->cap;
    spares_give(b->cap == pool->large_size ? &pool->large : &pool->small, b->data);
    *b = (struct buf){0};
}
