/* table.h - a hash table in versions: editing one page of it leaves the others common to both.
 *
 * Open addressing over pages of TABLE_PAGE slots, at most half of them used. A table that was committed never changes;
 * its readers hold it through the version that has it. An edit copies the directory and the pages that it touches,
 * once for each version (config/lineage.h). Keys are their hashes; whether a value is the one is for who looks.
 *
 * Thread: table_next: any; the rest: control. Ownership: pages are the lineage's, values the caller's. */
#ifndef FFI_CDEF
#pragma once
#include "config/lineage.h"
#include <stddef.h>

enum { TABLE_PAGE = 32 };

struct table_slot {
    uint64_t hash;
    const void *value; /* NULL: unused */
};

struct table_page {
    struct table_slot slots[TABLE_PAGE]; /* first: on cache lines of their own */
    struct lineage_node node;
};

/* What readers have. */
struct table {
    struct lineage_node node;
    size_t mask;                /* slots - 1 */
    struct table_page *pages[]; /* (mask + 1) / TABLE_PAGE of them */
};

/* What control edits. */
struct table_edit {
    struct lineage *lineage;
    struct table *now; /* belongs to the version that is being edited */
    size_t used;
};

/* An empty table. */
void table_init(struct table_edit *e, struct lineage *lineage);

/* Drops its pages; values are left alone. */
void table_fini(struct table_edit *e);

/* Adds value under the hash, in the place of old unless that is NULL. */
void table_put(struct table_edit *e, uint64_t hash, const void *old, const void *value);

/* Removes a value that is there. */
void table_remove(struct table_edit *e, uint64_t hash, const void *value);

/* Walks the values with this hash: the first from *at = hash on, NULL at the end. */
static inline const void *table_next(const struct table *t, uint64_t hash, uint64_t *at)
{
    for (;;) {
        size_t i = (size_t)*at & t->mask;
        const struct table_slot *slot = &t->pages[i / TABLE_PAGE]->slots[i % TABLE_PAGE];

        ++*at;
        if (!slot->value || slot->hash == hash)
            return slot->value;
    }
}
#endif
