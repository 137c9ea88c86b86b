/* cell.h - the places where routes meet: one host, path and priority, whose routes are the members of one group.
 *
 * Routes enter and leave cells; cells_settle makes the groups of those that changed, and of all cells of one host and
 * path shows the router the foremost that has a group. Part of config/atlas.c.
 *
 * Thread: control. Ownership: cells are the cells', groups are pieces of the lineage. */
#pragma once
#include "config/snapshot.h"

struct cell;

struct cells {
    struct lineage *lineage;
    struct router_edit router;
    struct map *spots;     /* host and path to struct spot */
    struct cell *dirty;    /* changed since they were settled last */
    unsigned indices;      /* every group's index is below it */
    unsigned *free_indices; /* of groups that are gone */
    unsigned free_count, free_cap;
};

void cells_init(struct cells *cs, struct lineage *lineage);

/* No cell is left: all were left and settled. */
void cells_fini(struct cells *cs);

/* The cell, new if need be: cell_enter has to follow. Valid until it is settled with nobody in it. */
struct cell *cells_at(struct cells *cs, struct slice domain, struct slice path, int priority);

/* order: of the members of a group, and by what a member is known; of two with the same the later stands behind. */
void cell_enter(struct cells *cs, struct cell *cell, uint64_t order, const struct member_piece *piece);

/* Is the cell the one at this place? */
bool cell_is_at(const struct cell *cell, struct slice domain, struct slice path, int priority);

/* In the place of old, which entered with this order, comes piece with the same. */
void cell_change(struct cells *cs, struct cell *cell, uint64_t order, const struct member_piece *old,
                 const struct member_piece *piece);

/* claims: of the piece that entered with this order. */
void cell_leave(struct cells *cs, struct cell *cell, uint64_t order, const struct member_claims *claims);

/* Its group, as settled last, or NULL. */
const struct group *cell_group(const struct cell *cell);

/* Brings groups and router up to date with the cells. */
void cells_settle(struct cells *cs);
