#include "base/arena.h"

#include "base/check.h"
#include "base/need.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

enum { CHUNK_MIN = 4096, CHUNK_MAX = 1 << 20, ARENA_LINE = 64 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* bytes in data */
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

void arena_fini(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *chunk = a->chunks;

        a->chunks = chunk->next;
        free(chunk);
    }
    arena_init(a);
}

static struct arena_chunk *chunk_new(struct arena *a, size_t size)
{
    struct arena_chunk *chunk;

    CHECK(size <= SIZE_MAX - sizeof(*chunk));
    chunk = need_zeroed(1, sizeof(*chunk) + size);
    chunk->size = size;
    a->total += size;
    return chunk;
}

/* Chunks double, so that an arena of any size has few of them. */
static size_t next_size(const struct arena *a)
{
    if (a->total < CHUNK_MIN)
        return CHUNK_MIN;
    return a->total < CHUNK_MAX ? a->total : CHUNK_MAX;
}

void arena_init_for(struct arena *a, size_t bytes)
{
    size_t size = ARENA_LINE + (bytes + ARENA_LINE - 1) / ARENA_LINE * ARENA_LINE;
    struct arena_chunk *chunk = need_aligned(ARENA_LINE, size);

    memset(chunk, 0, size);
    arena_init(a);
    chunk->size = size - offsetof(struct arena_chunk, data);
    a->chunks = chunk;
    a->total = chunk->size;
    a->used = ARENA_LINE - offsetof(struct arena_chunk, data);
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t mask = alignof(max_align_t) - 1;
    struct arena_chunk *chunk = a->chunks;
    void *piece;

    CHECK(size <= SIZE_MAX - mask);
    size = (size + mask) & ~mask;
    if (chunk && chunk->size - a->used >= size) {
        piece = chunk->data + a->used;
        a->used += size;
        return piece;
    }
    if (chunk && size > next_size(a) / 4) {
        /* A large piece gets a chunk of its own, behind the newest, which still has room for small
         * ones. */
        struct arena_chunk *own = chunk_new(a, size);

        own->next = chunk->next;
        chunk->next = own;
        return own->data;
    }
    chunk = chunk_new(a, size > next_size(a) ? size : next_size(a));
    chunk->next = a->chunks;
    a->chunks = chunk;
    a->used = size;
    return chunk->data;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    char *copy;

    if (!s.data)
        return s;
    copy = arena_alloc(a, s.len + 1);
    memcpy(copy, s.data, s.len);
    return slice_of(copy, s.len);
}
