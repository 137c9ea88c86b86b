#include "config/router.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/hash.h"
#include "config/snapshot.h"

/* A prefix is hashed segment by segment, each hash seeding the next and the host's the first, so
 * all prefixes of a path together cost one pass over it. */

/* Told apart by salt: a prefix with a "/" at its end, and the name behind "*." of a wildcard. */
#define SLASH_SALT UINT64_C(0x9e3779b97f4a7c15)
#define WILDCARD_SALT UINT64_C(0xd1b54a32d192ed03)

struct host {
    bool used;
    bool wildcard;
    bool no_http2;    /* one of its groups says so */
    bool slash_ends;  /* some path but "/" ends in "/" */
    unsigned deepest; /* most segments in a path; 0: there is none but "/" */
    uint64_t hash;
    struct slice name;        /* of a wildcard the part behind "*." */
    const struct group *root; /* the group for "/", or NULL */
};

struct place {
    uint64_t hash;
    const struct host *host;
    const struct group *group; /* NULL: unused */
};

struct router {
    uint64_t seed;
    struct host any;      /* "*" */
    size_t mask;          /* slots of both tables - 1; at most half of the slots are used */
    struct host *hosts;   /* open addressing */
    struct place *places; /* the same, all paths of all hosts but "/" */
};

static uint64_t host_hash(const struct router *r, struct slice name, bool wildcard)
{
    return hash_bytes_nocase(name.data, name.len, wildcard ? r->seed ^ WILDCARD_SALT : r->seed);
}

/* The slot of a host, unused when it is not known. */
static struct host *host_slot(const struct router *r, uint64_t hash, struct slice name,
                              bool wildcard)
{
    for (size_t i = hash & r->mask;; i = (i + 1) & r->mask) {
        struct host *h = &r->hosts[i];

        if (!h->used ||
            (h->hash == hash && h->wildcard == wildcard && slice_eq_nocase(h->name, name)))
            return h;
    }
}

/* The slot of a path on a host, unused when there is no route. */
static struct place *place_slot(const struct router *r, const struct host *h, uint64_t hash,
                                struct slice path)
{
    for (size_t i = hash & r->mask;; i = (i + 1) & r->mask) {
        struct place *p = &r->places[i];

        if (!p->group || (p->hash == hash && p->host == h && slice_eq(p->group->path, path)))
            return p;
    }
}

/* Where the segment that starts with the "/" at start ends: at the next "/" or behind the path. */
static size_t segment_end(struct slice path, size_t start)
{
    const char *slash = memchr(path.data + start + 1, '/', path.len - start - 1);

    return slash ? (size_t)(slash - path.data) : path.len;
}

/* ---- building */

static struct host *add_host(struct router *r, struct slice name)
{
    bool wildcard = slice_starts(name, SLICE("*."));
    struct host *h;
    uint64_t hash;

    if (slice_eq(name, SLICE("*"))) {
        r->any.used = true;
        return &r->any;
    }
    if (wildcard)
        name = slice_of(name.data + 2, name.len - 2);
    hash = host_hash(r, name, wildcard);
    h = host_slot(r, hash, name, wildcard);
    if (!h->used)
        *h = (struct host){.used = true, .wildcard = wildcard, .hash = hash, .name = name};
    return h;
}

/* Of several groups at one place the one with the highest priority stays. */
static void put_group(const struct group **at, const struct group *group)
{
    if (!*at || group->priority > (*at)->priority)
        *at = group;
}

static void add_entry(struct router *r, const struct router_entry *entry)
{
    struct slice path = entry->group->path;
    struct host *h = add_host(r, entry->host);
    uint64_t hash = h->hash;
    unsigned segments = 0;
    bool slash_end;
    struct place *p;

    CHECK(path.len > 0 && path.data[0] == '/');
    h->no_http2 |= entry->group->no_http2;
    if (path.len == 1) {
        put_group(&h->root, entry->group);
        return;
    }
    slash_end = path.data[path.len - 1] == '/';
    for (size_t start = 0, end; start < path.len - slash_end; start = end, segments++) {
        end = segment_end(slice_of(path.data, path.len - slash_end), start);
        hash = hash_bytes(path.data + start, end - start, hash);
    }
    if (slash_end) {
        hash ^= SLASH_SALT;
        h->slash_ends = true;
    }
    if (segments > h->deepest)
        h->deepest = segments;
    p = place_slot(r, h, hash, path);
    p->hash = hash;
    p->host = h;
    put_group(&p->group, entry->group);
}

struct router *router_build(struct arena *arena, const struct router_entry *entries, unsigned count)
{
    struct router *r = arena_alloc(arena, sizeof(*r));
    size_t slots = 2;

    while (slots < 2 * (size_t)count)
        slots *= 2;
    r->seed = hash_seed();
    r->any.hash = hash_u64(r->seed);
    r->mask = slots - 1;
    r->hosts = arena_alloc(arena, slots * sizeof(*r->hosts));
    r->places = arena_alloc(arena, slots * sizeof(*r->places));
    for (unsigned i = 0; i < count; i++)
        add_entry(r, &entries[i]);
    return r;
}

/* ---- matching */

/* Prefixes come shortest first, so of equal priorities the later one wins. */
static void keep_better(const struct group **best, const struct group *group)
{
    if (group && (!*best || group->priority >= (*best)->priority))
        *best = group;
}

static const struct group *match_path(const struct router *r, const struct host *h,
                                      struct slice path)
{
    const struct group *best = h->root;
    uint64_t hash = h->hash;
    size_t start = 0;

    for (unsigned i = 0; i < h->deepest && start < path.len; i++) {
        size_t end = segment_end(path, start);

        hash = hash_bytes(path.data + start, end - start, hash);
        keep_better(&best, place_slot(r, h, hash, slice_of(path.data, end))->group);
        if (h->slash_ends && end < path.len)
            keep_better(&best,
                        place_slot(r, h, hash ^ SLASH_SALT, slice_of(path.data, end + 1))->group);
        start = end;
    }
    return best;
}

static const struct group *match_name(const struct router *r, struct slice name, bool wildcard,
                                      struct slice path)
{
    const struct host *h = host_slot(r, host_hash(r, name, wildcard), name, wildcard);

    return h->used ? match_path(r, h, path) : NULL;
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

const struct group *router_match(const struct router *r, struct slice host, struct slice path)
{
    const struct group *group;
    struct slice rest;

    host = bare(host);
    group = match_name(r, host, false, path);
    if (group)
        return group;
    rest = behind_label(host);
    group = rest.data ? match_name(r, rest, true, path) : NULL;
    return group ? group : match_path(r, &r->any, path);
}

bool router_offers_http2(const struct router *r, struct slice host)
{
    struct slice rest;
    const struct host *h;

    host = bare(host);
    h = host_slot(r, host_hash(r, host, false), host, false);
    rest = behind_label(host);
    if (!h->used && rest.data)
        h = host_slot(r, host_hash(r, rest, true), rest, true);
    return h->used ? !h->no_http2 : !r->any.no_http2;
}
