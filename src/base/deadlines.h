/* deadlines.h - the deadlines of many, of which a timer has to know the earliest only.
 *
 * A heap of moments. Nearly all deadlines are moved further away, or taken back, long before they pass; that costs a store: the
 * heap keeps the moment at which it was to look, and looks again then.
 *
 * Thread: the one that owns the heap. Ownership: a struct deadline is embedded in what has the deadline; zeroed it is in no heap, and
 * dropped before its memory goes. The heap's own memory comes from base/need.h. Time: milliseconds of a clock that does not
 * go back. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stdint.h>
#endif

#define DEADLINE_NONE (~(uint64_t)0)

struct deadline {
    uint64_t at_ms; /* when it passes; DEADLINE_NONE: never */
    uint32_t place; /* in the heap, from 1; 0: it is not there */
};

struct deadlines {
    struct deadline_entry *heap;
    uint32_t count;   /* entries */
    uint32_t room;    /* for so many */
    uint64_t next_ms; /* when deadlines_take has to be asked next; DEADLINE_NONE: not before another one is set */
};

void deadlines_init(struct deadlines *ds);
void deadlines_fini(struct deadlines *ds); /* none may be left */

/* It passes at at_ms, or never. */
void deadlines_set(struct deadlines *ds, struct deadline *d, uint64_t at_ms);

#ifndef FFI_CDEF
/* It never passes: what deadlines_set does for DEADLINE_NONE. */
static inline void deadline_clear(struct deadline *d)
{
    d->at_ms = DEADLINE_NONE;
}
#endif

/* It is looked at again at look_ms, although it has passed; once. */
void deadlines_put_off(struct deadlines *ds, struct deadline *d, uint64_t look_ms);

/* The memory of d may go: it leaves the heap, if it is there. */
void deadlines_drop(struct deadlines *ds, struct deadline *d);

/* Takes one that has passed from the heap, so that it is not looked at again unless it is set; NULL: there is none. *late_ms: since when that could have been noticed. */
struct deadline *deadlines_take(struct deadlines *ds, uint64_t now_ms, uint64_t *late_ms);
