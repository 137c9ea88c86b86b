#include "base/block_pool.h"

#include <stdlib.h>

extern inline struct spares *block_pool_list(struct block_pool *pool, uint32_t size);
extern inline bool block_pool_take(struct block_pool *pool, struct buf *b);
extern inline void block_pool_release(struct block_pool *pool, struct buf *b);

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void block_pool_init(struct block_pool *pool, uint32_t small_size, uint32_t large_size, uint32_t wide_size,
                     uint32_t keep_bytes)
{
    CHECK(small_size >= sizeof(void *));
    large_size = larger(large_size, 2 * small_size);
    wide_size = larger(wide_size, 2 * large_size);
    *pool = (struct block_pool){.small_size = small_size, .large_size = large_size, .wide_size = wide_size};
    spares_init(&pool->small, keep_bytes / small_size);
    spares_init(&pool->large, keep_bytes / large_size);
    spares_init(&pool->wide, keep_bytes / wide_size);
}

void block_pool_fini(struct block_pool *pool)
{
    spares_fini(&pool->small);
    spares_fini(&pool->large);
    spares_fini(&pool->wide);
}

void block_pool_trim(struct block_pool *pool)
{
    (void)spares_trim(&pool->small);
    (void)spares_trim(&pool->large);
    (void)spares_trim(&pool->wide);
}

bool block_pool_new(struct block_pool *pool, struct buf *b, uint32_t size)
{
    char *block = spares_take(block_pool_list(pool, size));

    if (!block)
        block = malloc(size);
    if (!block)
        return false;
    *b = (struct buf){.data = block, .cap = size};
    pool->taken_bytes += size;
    pool->wide_taken += size == pool->wide_size;
    return true;
}

bool block_pool_enlarge(struct block_pool *pool, struct buf *b)
{
    struct buf bigger;

    if (b->cap >= pool->large_size) {
        buf_compact(b);
        return true;
    }
    if (!block_pool_new(pool, &bigger, pool->large_size))
        return false;
    if (b->data) {
        CHECK(buf_append(&bigger, buf_head(b), buf_len(b)));
        block_pool_release(pool, b);
    }
    *b = bigger;
    return true;
}

static void swap(struct block_pool *pool, struct buf *b, uint32_t size)
{
    struct buf other;

    CHECK(buf_len(b) == 0);
    if (b->cap == size || !block_pool_new(pool, &other, size))
        return;
    block_pool_release(pool, b);
    *b = other;
}

void block_pool_widen(struct block_pool *pool, struct buf *b)
{
    if (pool->wide_taken < BLOCK_POOL_WIDE_MOST)
        swap(pool, b, pool->wide_size);
}

void block_pool_narrow(struct block_pool *pool, struct buf *b)
{
    swap(pool, b, pool->large_size);
}
