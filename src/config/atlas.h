/* atlas.h - all live routes, as control changes them one by one; snapshots are its versions.
 *
 * Routes are put and dropped; atlas_commit makes a snapshot of what there is then. What a change leaves alone - members,
 * groups, hosts, pages of tables - the new snapshot has in common with the old ones (config/lineage.h), so a commit
 * costs by what changed, not by what there is. Of the groups at one host and path the router has the one with the
 * highest priority.
 *
 * Thread: control. Ownership: one an atlas' routes reference their states; a route is known by its state
 * (route_state.placed), so a state is in one atlas at most. Its snapshots are freed before it. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "config/snapshot.h"
#endif

struct atlas;

struct atlas *atlas_new(void);
void atlas_free(struct atlas *a); /* NULL is fine */

/* Adds the route of a state, or replaces it. */
void atlas_put(struct atlas *a, const struct route_input *route);

/* The state has no route any more. One without is fine. */
void atlas_drop(struct atlas *a, struct route_state *state);

/* The next snapshot, with the given settings and pages (references are taken). pages NULL: built-in ones. */
struct snapshot *atlas_commit(struct atlas *a, struct settings *settings, struct page_book *pages);

/* What all routes take, bytes, about. */
size_t atlas_bytes(const struct atlas *a);

/* Calls fn for each group that the state's route is in, as committed last, until it says true; did it? */
bool atlas_any_group(const struct route_state *state,
                     bool (*fn)(const struct group *g, const struct route_state *state));

/* Is the route in the atlas at its domains, path, priority and order? For checks. */
bool atlas_is_at(const struct route_input *route);
