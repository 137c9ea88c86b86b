/* lineage.h - pieces that versions of one thing share: what the next one leaves as it is, it has in common with those
 * before.
 *
 * One version is being edited; lineage_commit makes it the newest, after which its pieces are not changed any more: an
 * edit makes a new piece (lineage_add) and drops the old one (lineage_drop). Versions are released in any order. A
 * piece is freed with the last version that has it: it stands on the list of dead pieces of the newest of these, and
 * when a version goes, those of its dead that the version before it has, too, are handed on to that. So no piece is
 * counted, and an edit costs by what it changes.
 *
 * Thread: control. Readers on other threads see versions that are not released, by a hand-over that orders memory; of
 * a node they read nothing. Ownership: pieces belong to the lineage from lineage_add on. */
#ifndef FFI_CDEF
#pragma once
#include "base/list.h"
#include <stdbool.h>
#include <stdint.h>

/* Embedded in a piece. */
struct lineage_node {
    uint64_t born;                       /* the number of the version it was made for */
    struct lineage_node *next;           /* of the dead of one version */
    void (*free)(struct lineage_node *); /* frees the piece; NULL is no choice */
};

/* Embedded in a version. */
struct lineage_version {
    struct list link;          /* in lineage.versions */
    uint64_t number;           /* counts up from 1 */
    struct lineage_node *dead; /* pieces that it has and the next one has not */
};

struct lineage {
    uint64_t editing;     /* the number of the version that is being edited */
    struct list versions; /* not released, oldest first */
};

void lineage_init(struct lineage *l);

/* A new piece of the version that is being edited. */
void lineage_add(struct lineage *l, struct lineage_node *node, void (*free)(struct lineage_node *));

/* May the piece be changed in place? Only when no version has it yet. */
static inline bool lineage_is_own(const struct lineage *l, const struct lineage_node *node)
{
    return node->born == l->editing || list_empty(&l->versions);
}

/* The version that is being edited has the piece no more. NULL is fine. */
void lineage_drop(struct lineage *l, struct lineage_node *node);

/* What was edited is the newest version; the next one begins as the same. */
void lineage_commit(struct lineage *l, struct lineage_version *v);

/* Nobody reads the version any more. */
void lineage_release(struct lineage *l, struct lineage_version *v);
#endif
