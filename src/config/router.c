#include "config/router.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/need.h"
#include "config/snapshot.h"

#include <stdlib.h>

/* A prefix is hashed segment by segment, each hash seeding the next and the host's the first, so
 * all prefixes of a path together cost one pass over it. */

/* Told apart by salt: a prefix with a "/" at its end, and the name behind "*." of a wildcard. */
#define SLASH_SALT UINT64_C(0x9e3779b97f4a7c15)
#define WILDCARD_SALT UINT64_C(0xd1b54a32d192ed03)

enum { CACHE_LINE = 64 };

/* What is configured for a name, but for its paths. */
struct host {
    uint64_t id;              /* of all groups whose host_id is the same; none is given twice */
    const struct group *root; /* the group for "/", or NULL */
    const struct member *only;        /* root's, or NULL */
    const struct route_state *state;  /* only's */
    struct lineage_node node;
    unsigned deepest; /* segments: no path has more; 0: there is none but "/" */
    uint16_t name_len;
    bool wildcard : 1;
    bool no_http2 : 1;   /* one of its groups says so */
    bool slash_ends : 1; /* some path but "/" may end in "/" */
    char name[] __attribute__((aligned(CACHE_LINE))); /* of a wildcard the part behind "*." */
};

_Static_assert(offsetof(struct host, name) == CACHE_LINE, "what requests read beside the name is one cache line");

/* A host as control keeps it. */
struct host_draft {
    struct host *now; /* NULL: new */
    uint64_t id, hash;
    unsigned groups, no_http2; /* how many it has, and how many of these say so */
    unsigned deepest;          /* ever, as for the next: fewer cost what was asked for before, and no more */
    bool slash_ends;
};

static uint64_t host_hash(uint64_t seed, struct slice name, bool wildcard)
{
    return hash_bytes_nocase(name.data, name.len, wildcard ? seed ^ WILDCARD_SALT : seed);
}

static uint64_t any_hash(uint64_t seed)
{
    return hash_u64(seed);
}

/* Where the segment that starts with the "/" at start ends: at the next "/" or behind the path. */
static size_t segment_end(struct slice path, size_t start)
{
    const char *slash = memchr(path.data + start + 1, '/', path.len - start - 1);

    return slash ? (size_t)(slash - path.data) : path.len;
}

/* ---- editing */

static bool is_wildcard(struct slice domain)
{
    return slice_starts(domain, SLICE("*."));
}

static bool is_any(struct slice domain)
{
    return slice_eq(domain, SLICE("*"));
}

/* What is looked for in requests. */
static struct slice bare_name(struct slice domain)
{
    return is_wildcard(domain) ? slice_skip(domain, 2) : domain;
}

void router_edit_init(struct router_edit *e, struct lineage *lineage)
{
    *e = (struct router_edit){.lineage = lineage, .seed = hash_seed(), .drafts = map_new()};
    table_init(&e->hosts, lineage);
    table_init(&e->places, lineage);
}

void router_edit_fini(struct router_edit *e)
{
    size_t cursor = 0;
    void *value;

    while (map_next(e->drafts, &cursor, NULL, &value)) {
        struct host_draft *d = value;

        if (d->now)
            lineage_drop(e->lineage, &d->now->node);
        free(d);
    }
    map_free(e->drafts);
    table_fini(&e->hosts);
    table_fini(&e->places);
}

static struct host_draft *draft_of(struct router_edit *e, struct slice domain)
{
    struct host_draft *d = map_get(e->drafts, domain);

    if (d)
        return d;
    d = need_zeroed(1, sizeof(*d));
    d->id = ++e->last_id;
    d->hash = is_any(domain) ? any_hash(e->seed)
                             : host_hash(e->seed, bare_name(domain), is_wildcard(domain));
    map_set(e->drafts, domain, d);
    return d;
}

uint64_t router_host_id(struct router_edit *e, struct slice domain)
{
    return draft_of(e, domain)->id;
}

static void host_free(struct lineage_node *node)
{
    free(CONTAINER_OF(node, struct host, node));
}

static struct host *host_new(struct router_edit *e, const struct host_draft *d, struct slice domain,
                             const struct group *root)
{
    struct slice name = bare_name(domain);
    size_t size = (sizeof(struct host) + name.len + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct host *h = need_aligned(CACHE_LINE, size);

    CHECK(name.len <= UINT16_MAX);
    lineage_add(e->lineage, &h->node, host_free);
    h->id = d->id;
    h->root = root;
    h->only = root ? root->only : NULL;
    h->state = root ? root->state : NULL;
    h->deepest = d->deepest;
    h->name_len = (uint16_t)name.len;
    h->wildcard = is_wildcard(domain);
    h->no_http2 = d->no_http2 > 0;
    h->slash_ends = d->slash_ends;
    memcpy(h->name, name.data, name.len);
    return h;
}

static bool is_current(const struct host_draft *d, const struct group *root)
{
    const struct host *h = d->now;

    return h && h->root == root && h->deepest == d->deepest && h->slash_ends == d->slash_ends &&
           h->no_http2 == (d->no_http2 > 0);
}

/* Puts the host as the draft has it in the place of what was; a draft without groups goes. */
static void renew_host(struct router_edit *e, struct slice domain, struct host_draft *d,
                       const struct group *root)
{
    struct host *old = d->now;

    if (d->groups > 0 && is_current(d, root))
        return;
    d->now = d->groups > 0 ? host_new(e, d, domain, root) : NULL;
    if (is_any(domain))
        e->any = d->now;
    else if (d->now)
        table_put(&e->hosts, d->hash, old, d->now);
    else if (old)
        table_remove(&e->hosts, d->hash, old);
    if (old)
        lineage_drop(e->lineage, &old->node);
    if (!d->now) {
        map_remove(e->drafts, domain);
        free(d);
    }
}

/* The hash of a path that is not "/"; the draft learns of its shape. */
static uint64_t path_hash(struct host_draft *d, struct slice path)
{
    bool slash_end = path.data[path.len - 1] == '/';
    struct slice bare = slice_of(path.data, path.len - slash_end);
    uint64_t hash = d->hash;
    unsigned segments = 0;

    for (size_t start = 0, end; start < bare.len; start = end, segments++) {
        end = segment_end(bare, start);
        hash = hash_bytes(path.data + start, end - start, hash);
    }
    if (segments > d->deepest)
        d->deepest = segments;
    d->slash_ends |= slash_end;
    return slash_end ? hash ^ SLASH_SALT : hash;
}

void router_put(struct router_edit *e, struct slice domain, const struct group *old, const struct group *now)
{
    struct host_draft *d = draft_of(e, domain);
    const struct group *some = now ? now : old, *root = d->now ? d->now->root : NULL;

    ASSERT_CONTROL();
    CHECK(some && some->path.len > 0 && some->path.data[0] == '/');
    d->groups += (now != NULL) - (old != NULL);
    d->no_http2 += (now && now->no_http2) - (old && old->no_http2);
    if (some->path.len == 1)
        root = now;
    else if (now)
        table_put(&e->places, path_hash(d, now->path), old, now);
    else
        table_remove(&e->places, path_hash(d, old->path), old);
    renew_host(e, domain, d, root);
}

struct router router_view(const struct router_edit *e)
{
    return (struct router){e->seed, e->any, e->hosts.now, e->places.now};
}

/* ---- matching */

static const struct host *find_host(const struct router *r, uint64_t hash, struct slice name, bool wildcard)
{
    uint64_t at = hash;
    const struct host *h;

    while ((h = table_next(r->hosts, hash, &at))) {
        __builtin_prefetch(h->name);
        if (h->wildcard == wildcard && slice_eq_nocase(slice_of(h->name, h->name_len), name))
            return h;
    }
    return NULL;
}

/* The group of a path on a host, or NULL. */
static const struct group *find_place(const struct router *r, const struct host *h, uint64_t hash,
                                      struct slice path)
{
    uint64_t at = hash;
    const struct group *g;

    while ((g = table_next(r->places, hash, &at))) {
        __builtin_prefetch(g + 1); /* the path is not far behind */
        if (g->host_id == h->id && slice_eq(g->path, path))
            return g;
    }
    return NULL;
}

/* Prefixes come shortest first, so of equal priorities the later one wins. */
static void keep_better(const struct group **best, const struct group *group)
{
    if (group && (!*best || group->priority >= (*best)->priority))
        *best = group;
}

/* What a request reads of a member that is alone in its group: all at once, where it would come from one to the next. */
static void fetch(const struct member *only, const struct route_state *state, unsigned worker)
{
    if (!only)
        return;
    __builtin_prefetch(only);
    __builtin_prefetch(&only->tls);
    __builtin_prefetch(&state->posture);
    __builtin_prefetch(&state->local[worker], 1);
}

/* hash: the host's. */
static const struct group *match_path(const struct router *r, const struct host *h, uint64_t hash,
                                      struct slice path, unsigned worker)
{
    const struct group *best = h->root;
    size_t start = 0;

    if (!h->deepest) {
        __builtin_prefetch(best);
        fetch(h->only, h->state, worker);
        return best;
    }
    for (unsigned i = 0; i < h->deepest && start < path.len; i++) {
        size_t end = segment_end(path, start);

        hash = hash_bytes(path.data + start, end - start, hash);
        keep_better(&best, find_place(r, h, hash, slice_of(path.data, end)));
        if (h->slash_ends && end < path.len)
            keep_better(&best, find_place(r, h, hash ^ SLASH_SALT, slice_of(path.data, end + 1)));
        start = end;
    }
    if (best)
        fetch(best->only, best->state, worker);
    return best;
}

static const struct group *match_name(const struct router *r, struct slice name, bool wildcard,
                                      struct slice path, unsigned worker)
{
    uint64_t hash = host_hash(r->seed, name, wildcard);
    const struct host *h = find_host(r, hash, name, wildcard);

    return h ? match_path(r, h, hash, path, worker) : NULL;
}

/* Without the dot that may end a name. */
static struct slice bare(struct slice host)
{
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    return host;
}

/* What "*." of a wildcard stands before; absent when there is nothing. */
static struct slice behind_label(struct slice host)
{
    const char *dot = host.len ? memchr(host.data, '.', host.len) : NULL;

    if (!dot || dot == host.data)
        return slice_of(NULL, 0);
    return slice_skip(host, (size_t)(dot - host.data) + 1);
}

const struct group *router_match(const struct router *r, struct slice host, struct slice path,
                                 unsigned worker)
{
    const struct group *group;
    struct slice rest;

    host = bare(host);
    group = match_name(r, host, false, path, worker);
    if (group)
        return group;
    rest = behind_label(host);
    group = rest.data ? match_name(r, rest, true, path, worker) : NULL;
    if (group || !r->any)
        return group;
    return match_path(r, r->any, any_hash(r->seed), path, worker);
}

bool router_offers_http2(const struct router *r, struct slice host)
{
    struct slice rest;
    const struct host *h;

    host = bare(host);
    h = find_host(r, host_hash(r->seed, host, false), host, false);
    rest = behind_label(host);
    if (!h && rest.data)
        h = find_host(r, host_hash(r->seed, rest, true), rest, true);
    if (!h)
        h = r->any;
    return !h || !h->no_http2;
}
