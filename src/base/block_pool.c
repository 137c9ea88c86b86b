#include "base/block_pool.h"

#include <stdlib.h>

void block_pool_init(struct block_pool *pool, uint32_t small_size, uint32_t large_size,
                     uint32_t keep_bytes)
{
    CHECK(small_size >= sizeof(void *) && large_size > small_size);
    *pool = (struct block_pool){.small_size = small_size, .large_size = large_size};
    spares_init(&pool->small, keep_bytes / small_size);
    spares_init(&pool->large, keep_bytes / large_size);
}

void block_pool_fini(struct block_pool *pool)
{
    spares_fini(&pool->small);
    spares_fini(&pool->large);
}

void block_pool_trim(struct block_pool *pool)
{
    (void)spares_trim(&pool->small);
    (void)spares_trim(&pool->large);
}

char *block_pool_new_block(uint32_t size)
{
    return malloc(size);
}

bool block_pool_enlarge(struct block_pool *pool, struct buf *b)
{
    struct buf bigger = {.cap = pool->large_size};

    if (b->cap >= pool->large_size) {
        buf_compact(b);
        return true;
    }
    bigger.data = spares_take(&pool->large);
    if (!bigger.data)
        bigger.data = block_pool_new_block(pool->large_size);
    if (!bigger.data)
        return false;
    pool->taken_bytes += bigger.cap;
    if (b->data) {
        CHECK(buf_append(&bigger, buf_head(b), buf_len(b)));
        block_pool_release(pool, b);
    }
    *b = bigger;
    return true;
}
