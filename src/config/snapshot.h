/* snapshot.h - one whole configuration, immutable, as workers read it.
 *
 * Control builds a snapshot (snapshot_new, snapshot_add for every live route, snapshot_seal) and
 * hands it to each worker as a lease. A worker swaps its pointer, acknowledges, and gives the old
 * lease back once the last request that used it has ended. Workers never count references and never
 * free.
 *
 * Thread: built and freed by control; read by workers between the adoption of a lease and its
 * return. Ownership: everything in it lives in its arena; route states, pages and settings are
 * referenced. What snapshot_add is given is copied. FFI-clean but for leases. */
#ifndef FFI_CDEF
#pragma once
#include "base/arena.h"
#include "base/mailbox.h"
#include "config/options.h"
#include "config/route_state.h"
#include "config/settings.h"
#include "config/url.h"
#include "guard/circuit.h"
#include "guard/ratelimit.h"
#endif

struct address;
struct bundle;
struct header_value;
struct page;
struct page_book;
struct route_state;
struct router;
struct server_context;
struct settings;
struct snapshot_draft;
struct snapshot_route;
struct tls_client;

/* How its backend is spoken to with TLS: tls/client_context.h. */
struct member_tls {
    const struct tls_client *client; /* NULL: plain */
    const char *name;                /* for SNI and verification, NUL-terminated; or an address */
    bool is_ip;
};

/* One route, as a place where requests can be sent. */
struct member {
    struct route_state *state;          /* shared, never NULL */
    const struct address *addresses;    /* resolved, with the URL's port; tried in turn */
    unsigned address_count;             /* 0: the name does not resolve */
    bool http2;                         /* it is spoken to with HTTP/2 */
    struct member_tls tls;
    struct slice host;                  /* Host field for the backend where preserve_host is off */
    struct slice base_path;             /* put before the request's path; may be empty */
    const struct header_value *headers; /* response headers set by the service */
    unsigned header_count;
    uint64_t connect_timeout_ms;
    uint64_t response_timeout_ms;
    uint64_t max_body_size; /* bytes, 0: any */
    uint64_t tunnel_idle_ms;
    uint64_t tunnel_age_ms; /* 0: any */
    uint32_t tunnel_max;    /* open at a time, 0: any */
    uint32_t request_max;   /* in progress at a time, tunnels apart; 0: any, and nobody counts */
    const struct page *maintenance;    /* what clients see in its place; NULL: in service */
    const struct member *page_server;  /* where that page comes from first, or NULL */
    uint64_t slow_start_ms; /* 0: no slow start */
    struct circuit_rules circuit;
    unsigned retries;
    bool preserve_host;
    bool websocket; /* requests to upgrade pass */
    bool compression; /* compress responses */
    bool fail_open; /* when all members are down it is used all the same */
};

/* What a source may send to a group: the tightest limit among its members. */
struct group_limit {
    struct ratelimit_rules rules; /* requests 0: none */
    const struct member *member;  /* whose limit it is */
    uint64_t identity;            /* of service, path, priority and domains: what is counted together */
    bool shadow;                  /* only count */
};

/* All members for one host, path and priority, in the order they were added. */
struct group {
    const struct member *const *members;
    unsigned member_count;
    unsigned index;           /* dense, from 0, within the snapshot: for per-worker counters */
    enum lb_policy lb_policy; /* of the first member that sets one */
    struct group_limit limit;
    struct slice policy;      /* request policy, of the first member that sets one; empty: none */
    struct slice policy_args; /* of the same member; may be empty */
    bool no_http2;            /* a member has the option http2=false */
    bool no_separators;       /* a member has not the option encoded_separators=true */
    int priority;
    struct slice path; /* the prefix */
};

struct snapshot {
    uint64_t generation;             /* counts up from 1 */
    const struct router *router;     /* NULL until snapshot_seal */
    const struct settings *settings; /* referenced */
    const struct page_book *pages;   /* the proxy's own answers, referenced; never NULL */
    const struct bundle *bundle; /* sources of the request policies, script/bundle.h; counted by control; NULL: none */
    struct server_context *tls;  /* tls/server_context.h, referenced; NULL: no certificates */
    unsigned group_count;
    const struct group *const *groups; /* by index; NULL until snapshot_seal */
    unsigned leases; /* control only: workers that hold it, one more while it is newest */
    struct snapshot_draft *draft;  /* while it is being built, else NULL */
    struct snapshot_route *routes; /* all members, whose states are referenced */
#ifndef FFI_CDEF
    struct arena arena;
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
    uint32_t *turns;                 /* worker only: round-robin positions by group index */
};
#endif

/* The same as control knows it. */
struct tls_input {
    struct tls_client *client; /* NULL: plain */
    struct slice name;
    bool is_ip;
};

/* What control knows of a live route; borrowed during snapshot_add. */
struct route_input {
    const struct slice *domains; /* lower case: host names, "*.example.com", "*" */
    unsigned domain_count;
    struct slice path;
    int priority;
    struct route_state *state;
    const struct url *url;
    const struct address *addresses; /* their ports do not count */
    unsigned address_count;
    struct tls_input tls;
    const union option_value *options; /* indexed by enum option_id; NULL: none set */
    uint64_t options_set;              /* bit (1 << enum option_id): that option is set */
    struct slice policy, policy_args;  /* absent: not set */
    const struct header_value *headers;
    unsigned header_count;
    struct circuit_rules circuit; /* threshold, half_open_requests, timeout_ms; the rest is options */
    struct ratelimit_rules limit; /* requests 0: none */
    struct page *maintenance;             /* NULL: in service */
    const struct url *page_url;           /* in maintenance: where the page comes from, or NULL */
    const struct address *page_addresses; /* of page_url; their ports do not count */
    unsigned page_address_count;
    struct tls_input page_tls;
    struct route_state *page_state; /* the page server's, one for all routes that share it */
};

/* An empty snapshot with the given settings and pages (references are taken). pages NULL: built-in
 * ones. */
struct snapshot *snapshot_new(uint64_t generation, struct settings *settings,
                              struct page_book *pages);

/* Adds a route as a member to the group of each of its domains. */
void snapshot_add(struct snapshot *s, const struct route_input *route);

/* Builds the router. Nothing can be added any more. */
void snapshot_seal(struct snapshot *s);

/* The member of a route state, or NULL. Who may read the snapshot may call it. */
const struct member *snapshot_member(const struct snapshot *s, const struct route_state *state);

/* Frees it and drops what it references. */
void snapshot_free(struct snapshot *s);
