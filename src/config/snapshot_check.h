/* snapshot_check.h - is a snapshot what its routes would make anew? Asked in builds with DEBUG, at each one.
 *
 * A snapshot shares with those before what nobody touched, so one that was not touched although it changed is wrong for
 * ever, and silently. Here it aborts: all routes are made once more and compared, and their groups with them. A field
 * that is added to a member is compared with the rest; one that points somewhere needs a line of its own in the source.
 *
 * Thread: control, right after the snapshot was made. Costs as much as making all of it. Ownership: nothing is taken or kept. */
#pragma once
#include <stddef.h>

struct route_input;
struct snapshot;

/* The snapshot has the route, and as it is now; so have the groups that it is in. */
void snapshot_check_route(const struct snapshot *s, const struct route_input *route);

/* It has so many routes, no more. */
void snapshot_check_count(const struct snapshot *s, size_t routes);
