/* spares.h - pieces of memory of one kind, kept for reuse as long as they are needed.
 *
 * A free piece goes on a list, up to a cap. spares_trim, called now and then, gives back to malloc what nobody needed between the
 * last three calls (base/low_water.h), so that what is kept follows the load down, too.
 *
 * Thread: the one that owns the list. Ownership: pieces on the list are its; they come from malloc, and have room for a pointer, which
 * overwrites their first bytes. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/low_water.h"
#include <stdint.h>
#else
struct low_water {
    uint32_t least, before;
};
#endif

struct spare;

struct spares {
    struct spare *first; /* used last: its bytes are the likeliest to be in a cache */
    uint32_t kept;       /* on the list */
    uint32_t most;       /* may be kept */
    struct low_water low;
};

/* An empty list that keeps most pieces. */
void spares_init(struct spares *s, uint32_t most);

/* A piece, with whatever is in it. NULL: none is left, ask malloc. */
void *spares_take(struct spares *s);

/* Keeps the piece, or frees it where enough are kept. */
void spares_give(struct spares *s, void *piece);

/* Frees those that nobody has needed since the call before the last one. How many? */
uint32_t spares_trim(struct spares *s);

/* Frees all. */
void spares_fini(struct spares *s);
