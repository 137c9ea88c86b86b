/* member.h - a route as a place where requests can be sent: what workers read of it, and how it is made from what
 * control knows.
 *
 * Thread: made and freed by control, read by workers through a snapshot. Ownership: a member is a piece of a lineage;
 * texts and addresses are its own; state, page and TLS context are referenced. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/arena.h"
#include "base/sock.h"
#include "config/lineage.h"
#include "config/options.h"
#include "config/route_state.h"
#include "config/settings.h"
#include "config/url.h"
#include "guard/circuit.h"
#include "guard/ratelimit.h"
#endif

struct header_value;
struct page;
struct route_state;
struct settings;
struct tls_client;

/* How its backend is spoken to with TLS: tls/client_context.h. */
struct member_tls {
    const struct tls_client *client; /* NULL: plain */
    const char *name;                /* for SNI and verification, NUL-terminated; or an address */
    bool is_ip;
};

/* One route, as a place where requests can be sent. What every request asks for comes first. */
struct member {
    struct route_state *state;       /* shared, never NULL */
    const struct address *addresses; /* resolved, with the URL's port; tried in turn */
    const struct page *maintenance;  /* what clients see in its place; NULL: in service */
    uint64_t slow_start_ms;          /* 0: no slow start */
    uint64_t max_body_size;          /* bytes, 0: any */
    unsigned address_count;          /* 0: the name does not resolve */
    unsigned header_count;
    uint32_t request_max; /* in progress at a time, tunnels apart; 0: any, and nobody counts */
    unsigned retries;
    bool http2; /* it is spoken to with HTTP/2 */
    bool preserve_host;
    bool websocket; /* requests to upgrade pass */
    bool compression; /* compress responses */
    bool fail_open; /* when all members are down it is used all the same */
    bool has_base_path;
    bool counts_rate; /* its circuit has a failure rate */
    /* a cache line on */
    struct member_tls tls;
    uint64_t response_timeout_ms;
    struct address first; /* where addresses points to if there is one */
    /* asked for in some requests */
    uint64_t connect_timeout_ms;
    const struct header_value *headers; /* response headers set by the service */
    struct slice base_path; /* put before the request's path; may be empty */
    struct slice host; /* Host field for the backend where preserve_host is off */
    struct circuit_rules circuit;
    const struct member *page_server; /* where that page comes from first, or NULL */
    uint64_t tunnel_idle_ms;
    uint64_t tunnel_age_ms; /* 0: any */
    uint32_t tunnel_max;    /* open at a time, 0: any */
};

/* A member_tls as control knows it. */
struct tls_input {
    struct tls_client *client; /* NULL: plain */
    struct slice name;
    bool is_ip;
};

/* What control knows of a live route; borrowed during atlas_put. */
struct route_input {
    uint64_t order; /* among the members of a group; no two routes have the same */
    const struct settings *settings; /* where the route says nothing */
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

#ifndef FFI_CDEF
/* What a member says for its groups as a whole. */
struct member_claims {
    bool lb_set; /* it names a balancing */
    bool no_http2, no_separators, limit_shadow;
    enum lb_policy lb_policy;
    struct ratelimit_rules limit; /* requests 0: none */
    uint64_t limit_identity;      /* see group_limit */
    struct slice policy, policy_args; /* policy empty: none */
};

/* A member with what belongs to it. */
struct member_piece {
    struct member member; /* first: at the start of a cache line */
    struct lineage_node node;
    struct member_claims claims;
    struct arena arena; /* it is in it itself */
    struct page *page;
    struct tls_client *tls;
    /* where its maintenance page comes from; state NULL: nowhere */
    struct member page_server;
    struct tls_client *page_tls;
};

/* A new member of the version that l edits. */
struct member_piece *member_new(struct lineage *l, const struct route_input *route);
#endif
