#include "base/block_pool.h"

#include <stdlib.h>

struct free_block {
    struct free_block *next;
};

void block_pool_init(struct block_pool *pool, uint32_t small_size, uint32_t large_size,
                     uint32_t keep_bytes)
{
    CHECK(small_size >= sizeof(struct free_block) && large_size > small_size);
    *pool = (struct block_pool){
        .small_size = small_size, .large_size = large_size, .keep_bytes = keep_bytes};
}

static void free_all(struct free_block **list)
{
    while (*list) {
        struct free_block *block = *list;

        *list = block->next;
        free(block);
    }
}

void block_pool_fini(struct block_pool *pool)
{
    free_all(&pool->small);
    free_all(&pool->large);
    pool->small_kept = pool->large_kept = 0;
}

static char *take(struct free_block **list, uint32_t *kept, uint32_t size)
{
    struct free_block *block = *list;

    if (!block)
        return malloc(size);
    *list = block->next;
    (*kept)--;
    return (char *)block;
}

bool block_pool_take(struct block_pool *pool, struct buf *b)
{
    if (b->data)
        return true;
    b->data = take(&pool->small, &pool->small_kept, pool->small_size);
    if (!b->data)
        return false;
    b->start = b->end = 0;
    b->cap = pool->small_size;
    pool->taken_bytes += b->cap;
    return true;
}

bool block_pool_enlarge(struct block_pool *pool, struct buf *b)
{
    struct buf bigger = {.cap = pool->large_size};

    if (b->cap >= pool->large_size) {
        buf_compact(b);
        return true;
    }
    bigger.data = take(&pool->large, &pool->large_kept, pool->large_size);
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

static void put(struct block_pool *pool, struct free_block **list, uint32_t *kept, struct buf *b)
{
    struct free_block *block = (struct free_block *)(void *)b->data;

    if ((uint64_t)(*kept + 1) * b->cap > pool->keep_bytes) {
        free(block);
        return;
    }
    block->next = *list;
    *list = block;
    (*kept)++;
}

void block_pool_release(struct block_pool *pool, struct buf *b)
{
    if (!b->data)
        return;
    CHECK(pool->taken_bytes >= b->cap);
    pool->taken_bytes -= b->cap;
    if (b->cap == pool->large_size)
        put(pool, &pool->large, &pool->large_kept, b);
    else
        put(pool, &pool->small, &pool->small_kept, b);
    *b = (struct buf){0};
}
