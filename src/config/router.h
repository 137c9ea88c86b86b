/* router.h - from host and path to a group.
 *
 * Host: the exact name, then "*.rest" (one level), then "*". Within a host the group with the
 * highest priority wins among all whose path is a prefix of the request's on a segment boundary;
 * between equal priorities the longest prefix. "/api" matches "/api" and "/api/x"; "/api/" matches
 * "/api/" and what is below it. Several groups with one host and path: only the one with the
 * highest priority counts. A host without any matching path falls through to the next kind of host.
 *
 * Look-up cost depends on the number of segments in the path (at most the deepest route of that
 * host), not on the number of routes or hosts: one hash look-up for each prefix, no allocation.
 *
 * Thread: built by control (snapshot_seal), then read by any. Ownership: lives in the snapshot's
 * arena; groups and texts are borrowed. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

struct arena;
struct group;
struct router;

/* One group and where it stands; borrowed. */
struct router_entry {
    struct slice host; /* lower case, "*.example.com" or "*" */
    const struct group *group;
};

/* The texts of hosts and paths have to live as long as the router. */
struct router *router_build(struct arena *arena, const struct router_entry *entries,
                            unsigned count);

/* The group for a request, or NULL. host: without port, any case (a trailing dot is ignored); path:
 * without query, starts with "/". */
const struct group *router_match(const struct router *r, struct slice host, struct slice path);

/* May HTTP/2 be offered to a client that asks for this host (as in SNI)? Not when a group of what serves it says no: of the exact
 * name, else of "*.rest", else of "*". */
bool router_offers_http2(const struct router *r, struct slice host);
