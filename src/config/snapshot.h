/* snapshot.h - one whole configuration, immutable, as workers read it.
 *
 * Control edits an atlas (config/atlas.h); atlas_commit makes a snapshot of it, which has all that did not change in
 * common with those before. It is handed to each worker as a lease. A worker swaps its pointer, acknowledges, and gives
 * the old lease back once the last request that used it has ended. Workers never count references and never free.
 *
 * Thread: made and freed by control; read by workers between the adoption of a lease and its
 * return. Ownership: hosts, groups and members are pieces of the atlas' lineage; pages and settings are
 * referenced. FFI-clean but for leases. */
#ifndef FFI_CDEF
#pragma once
#include "base/mailbox.h"
#include "config/member.h"
#include "config/router.h"
#endif

struct bundle;
struct page_book;
struct server_context;
struct snapshot;

/* What a source may send to a group: the tightest limit among its members. */
struct group_limit {
    struct ratelimit_rules rules; /* requests 0: none */
    const struct member *member;  /* whose limit it is */
    uint64_t identity;            /* of service, path, priority and domains: what is counted together */
    bool shadow;                  /* only count */
};

/* All members for one host, path and priority, in the order they were added. What every request asks for is in its first
 * cache line. */
struct group {
    uint64_t host_id; /* of the router's host */
    struct slice path; /* the prefix */
    const struct member *const *members;
    const struct member *only; /* where members points to if there is one, else NULL */
    const struct route_state *state; /* only's */
    unsigned member_count;
    unsigned index; /* below the snapshot's group_indices, its own for as long as there is a group: for per-worker counters */
    int priority;
    uint8_t lb_policy; /* enum lb_policy, of the first member that sets one */
    bool no_http2 : 1;      /* a member has the option http2=false */
    bool no_separators : 1; /* a member has not the option encoded_separators=true */
    bool has_policy : 1, has_limit : 1; /* else what follows is not looked at */
    /* a cache line on */
    struct slice policy;      /* request policy, of the first member that sets one; empty: none */
    struct slice policy_args; /* of the same member; may be empty */
    struct group_limit limit;
};

struct snapshot {
    uint64_t generation;             /* counts up from 1 */
    struct router router;
    const struct table *members; /* of all routes, by their state: snapshot_member */
    const struct settings *settings; /* referenced */
    const struct page_book *pages;   /* the proxy's own answers, referenced; never NULL */
    const struct bundle *bundle; /* sources of the request policies, script/bundle.h; counted by control; NULL: none */
    struct server_context *tls;  /* tls/server_context.h, referenced; NULL: no certificates */
    unsigned group_indices; /* every group's index is below it */
    unsigned leases; /* control only: workers that hold it, one more while it is newest */
#ifndef FFI_CDEF
    struct lineage *lineage;
    struct lineage_version version;
#endif
};

#ifndef FFI_CDEF
/* A worker's hold on a snapshot. Made by control, one for each worker and snapshot. */
struct lease {
    struct message adopt;    /* control to worker: use this from now on */
    struct message adopted;  /* worker to control: every request from now on sees it */
    struct message returned; /* worker to control: no request uses it; control frees the lease */
    struct snapshot *snapshot;
    struct worker *worker;           /* whose */
    struct publication *publication; /* control only: whom the acknowledgement is for */
    unsigned users;                  /* worker only: requests that use it */
    bool retired;                    /* worker only: a newer one was adopted */
};
#endif

/* The member of a route state, or NULL. Who may read the snapshot may call it. */
const struct member *snapshot_member(const struct snapshot *s, const struct route_state *state);

/* The hash under which members has it. */
uint64_t snapshot_member_hash(const struct route_state *state);

/* Frees it and drops what it alone has. NULL is fine. */
void snapshot_free(struct snapshot *s);
