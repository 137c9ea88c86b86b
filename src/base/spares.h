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
#include <stdlib.h>
#else
struct low_water {
    uint32_t least, before;
};
#endif

struct spare {
    struct spare *next;
};

struct spares {
    struct spare *first; /* used last: its bytes are the likeliest to be in a cache */
    uint32_t kept;       /* on the list */
    uint32_t most;       /* may be kept */
    struct low_water low;
};

/* An empty list that keeps most pieces. */
void spares_init(struct spares *s, uint32_t most);

#ifdef FFI_CDEF
void *spares_take(struct spares *s);
void spares_give(struct spares *s, void *piece);
#else
/* A piece, with whatever is in it. NULL: none is left, ask malloc. */
inline void *spares_take(struct spares *s)
{
    struct spare *spare = s->first;

    if (!spare)
        return NULL;
    s->first = spare->next;
    s->kept--;
    low_water_note(&s->low, s->kept);
    return spare;
}

/* Keeps the piece, or frees it where enough are kept. */
inline void spares_give(struct spares *s, void *piece)
{
    struct spare *spare = piece;

    if (s->kept >= s->most) {
        free(piece);
        return;
    }
    spare->next = s->first;
    s->first = spare;
    s->kept++;
}
#endif

/* Frees those that nobody has needed since the call before the last one. How many? */
uint32_t spares_trim(struct spares *s);

/* Frees all. */
void spares_fini(struct spares *s);
