/* router.h - from host and path to a group.
 *
 * Host: the exact name, then "*.rest" (one level), then "*". Within a host the group with the
 * highest priority wins among all whose path is a prefix of the request's on a segment boundary;
 * between equal priorities the longest prefix. "/api" matches "/api" and "/api/x"; "/api/" matches
 * "/api/" and what is below it. Of several groups with one host and path only the one with the
 * highest priority is here (config/atlas.h). A host without any matching path falls through to the next kind of host.
 *
 * Look-up cost depends on the number of segments in the path (at most the deepest route of that
 * host), not on the number of routes or hosts: one hash look-up for each prefix, no allocation.
 *
 * Thread: router_match and router_offers_http2: any, on the router of a snapshot; edits: control. Ownership: hosts and
 * tables are pieces of a lineage, groups are borrowed. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#include "config/table.h"
#endif

struct group;
struct host;
struct map;

/* What readers have: part of a snapshot. */
struct router {
    uint64_t seed;
    const struct host *any; /* "*", or NULL */
    const struct table *hosts;  /* struct host */
    const struct table *places; /* struct group: all paths of all hosts but "/" */
};

#ifndef FFI_CDEF
/* What control edits. */
struct router_edit {
    struct lineage *lineage;
    uint64_t seed;
    struct table_edit hosts, places;
    struct map *drafts; /* domain as configured to struct host_draft */
    const struct host *any;
    uint64_t last_id; /* of a host */
};

void router_edit_init(struct router_edit *e, struct lineage *lineage);

/* Drops all that it made; groups are left alone. */
void router_edit_fini(struct router_edit *e);

/* By which the groups of a domain know it: their host_id. domain: lower case, "*.example.com" or "*". New for one that
 * has no group, so router_put has to follow. */
uint64_t router_host_id(struct router_edit *e, struct slice domain);

/* At a domain and path, now stands in the place of old. Either may be NULL, and both have the same path. */
void router_put(struct router_edit *e, struct slice domain, const struct group *old, const struct group *now);

/* The router of the version that is being edited. */
struct router router_view(const struct router_edit *e);
#endif

/* The group for a request, or NULL. host: without port, any case (a trailing dot is ignored); path:
 * without query, starts with "/"; worker: whose part of the route will be asked for, so that the processor fetches it. */
const struct group *router_match(const struct router *r, struct slice host, struct slice path,
                                 unsigned worker);

/* May HTTP/2 be offered to a client that asks for this host (as in SNI)? Not when a group of what serves it says no: of the exact
 * name, else of "*.rest", else of "*". */
bool router_offers_http2(const struct router *r, struct slice host);
