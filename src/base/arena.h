/* arena.h - memory that is allocated piece by piece and freed all at once.
 *
 * Thread: one at a time. Ownership: pieces live until arena_fini; none is freed on its own. Its
 * memory is base/need.h's: whoever fills one asks for room first.
 * FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* bytes used in the newest chunk */
    size_t total;               /* bytes in all chunks */
};

/* An empty arena; nothing is allocated yet. */
void arena_init(struct arena *a);

/* The same, with one chunk of about so many bytes, for what is small and known; the first piece is at the start of a
 * cache line. */
void arena_init_for(struct arena *a, size_t bytes);

/* Frees all pieces; the arena is empty and may be used again. */
void arena_fini(struct arena *a);

/* size bytes of zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);

/* A copy of s with a NUL behind it; an absent slice stays absent. */
struct slice arena_copy(struct arena *a, struct slice s);
