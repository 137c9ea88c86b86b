#include "encode/keep.h"

#include "base/check.h"

#include <stdint.h>
#include <stdlib.h>

struct keep_block {
    size_t size;                     /* of memory */
    _Alignas(max_align_t) char memory[];
};

static struct keep_block *block_of(void *memory)
{
    return (struct keep_block *)((char *)memory - offsetof(struct keep_block, memory));
}

static void drop(struct keep *k, struct keep_block *block)
{
    k->bytes -= block->size;
    free(block);
}

enum { SMALL = 4096, WASTE = 4 }; /* what is smaller costs malloc nothing; times too large a block may be */

/* The smallest kept block that fits and is not far too large; count: none. */
static unsigned find(const struct keep *k, size_t size)
{
    unsigned best = k->count;

    for (unsigned i = 0; i < k->count; i++) {
        size_t have = k->free[i]->size;

        if (have >= size && have / WASTE <= size && (best == k->count || have < k->free[best]->size))
            best = i;
    }
    return best;
}

void *keep_take(struct keep *k, size_t size)
{
    unsigned at = find(k, size);
    struct keep_block *block;

    if (at < k->count) {
        block = k->free[at];
        k->free[at] = k->free[--k->count];
        return block->memory;
    }
    if (size > SIZE_MAX / 2)
        return NULL;
    block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    block->size = size;
    k->bytes += size;
    return block->memory;
}

/* Of more blocks than can be kept the smallest goes: it costs least to make anew. */
void keep_put(struct keep *k, void *memory)
{
    struct keep_block *block = memory ? block_of(memory) : NULL;

    if (!block)
        return;
    for (unsigned i = 0; k->count == KEEP_BLOCKS && i < k->count; i++) {
        if (k->free[i]->size < block->size) {
            struct keep_block *larger = block;

            block = k->free[i];
            k->free[i] = larger;
        }
    }
    if (block->size < SMALL || k->count == KEEP_BLOCKS)
        drop(k, block);
    else
        k->free[k->count++] = block;
}

void keep_fini(struct keep *k)
{
    while (k->count)
        drop(k, k->free[--k->count]);
    CHECK(k->bytes == 0);
}
