#include "config/cell.h"

#include "base/check.h"
#include "base/map.h"
#include "base/need.h"

#include <stdlib.h>

enum { CACHE_LINE = 64, FEW = 4 };

/* A group as a piece: what workers read first, then the rest, then members and path. */
struct group_piece {
    struct group group;
    struct lineage_node node;
    const struct member *members[];
};

_Static_assert(offsetof(struct group, policy) == CACHE_LINE, "what every request reads is one cache line");

/* How many members claim what. */
struct claim_counts {
    unsigned lbs, limits, policies, no_http2, no_separators;
};

struct cell_member {
    uint64_t order;
    const struct member_piece *piece;
};

struct cell {
    struct spot *spot;
    struct cell *next; /* at the same spot, of lower priority */
    int priority;
    unsigned index; /* of its group */
    struct cell_member *members; /* by their order */
    unsigned count, cap;
    struct claim_counts claims;
    struct group_piece *now, *before; /* of the group; before: while it is settled */
    bool dirty;
    struct cell *next_dirty;
};

/* One host and path. */
struct spot {
    struct cell *cells;        /* highest priority first */
    const struct group *shown; /* in the router, or NULL */
    size_t domain_len;
    size_t key_len;
    char key[]; /* domain NUL path */
};

void cells_init(struct cells *cs, struct lineage *lineage)
{
    *cs = (struct cells){.lineage = lineage, .spots = map_new()};
    router_edit_init(&cs->router, lineage);
}

void cells_fini(struct cells *cs)
{
    CHECK(map_count(cs->spots) == 0 && !cs->dirty);
    map_free(cs->spots);
    router_edit_fini(&cs->router);
    free(cs->free_indices);
}

/* ---- who is in it */

static void touch(struct cells *cs, struct cell *cell)
{
    if (cell->dirty)
        return;
    cell->dirty = true;
    cell->next_dirty = cs->dirty;
    cs->dirty = cell;
}

static struct spot *spot_at(struct cells *cs, struct slice domain, struct slice path)
{
    size_t len = domain.len + 1 + path.len;
    struct spot *spot = need_zeroed(1, sizeof(*spot) + len);
    struct spot *old;

    memcpy(spot->key, domain.data, domain.len);
    memcpy(spot->key + domain.len + 1, path.data, path.len);
    spot->domain_len = domain.len;
    spot->key_len = len;
    old = map_get(cs->spots, slice_of(spot->key, len));
    if (old) {
        free(spot);
        return old;
    }
    map_set(cs->spots, slice_of(spot->key, len), spot);
    return spot;
}

static unsigned take_index(struct cells *cs)
{
    return cs->free_count ? cs->free_indices[--cs->free_count] : cs->indices++;
}

static void give_index(struct cells *cs, unsigned index)
{
    if (cs->free_count == cs->free_cap) {
        cs->free_cap = cs->free_cap ? 2 * cs->free_cap : FEW;
        cs->free_indices = need_resized(cs->free_indices, cs->free_cap * sizeof(*cs->free_indices));
    }
    cs->free_indices[cs->free_count++] = index;
}

struct cell *cells_at(struct cells *cs, struct slice domain, struct slice path, int priority)
{
    struct spot *spot = spot_at(cs, domain, path);
    struct cell **at = &spot->cells, *cell;

    while (*at && (*at)->priority > priority)
        at = &(*at)->next;
    if (*at && (*at)->priority == priority)
        return *at;
    cell = need_zeroed(1, sizeof(*cell));
    cell->spot = spot;
    cell->priority = priority;
    cell->index = take_index(cs);
    cell->next = *at;
    *at = cell;
    return cell;
}

/* The first member whose order is not before. */
static unsigned position(const struct cell *cell, uint64_t order)
{
    unsigned low = 0, high = cell->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (cell->members[middle].order < order)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void count(struct cell *cell, const struct member_claims *claims, int by)
{
    struct claim_counts *counts = &cell->claims;

    counts->lbs += claims->lb_set ? (unsigned)by : 0;
    counts->limits += claims->limit.requests ? (unsigned)by : 0;
    counts->policies += claims->policy.len ? (unsigned)by : 0;
    counts->no_http2 += claims->no_http2 ? (unsigned)by : 0;
    counts->no_separators += claims->no_separators ? (unsigned)by : 0;
}

void cell_enter(struct cells *cs, struct cell *cell, uint64_t order, const struct member_piece *piece)
{
    unsigned at = position(cell, order);

    ASSERT_CONTROL();
    /* A route may name a domain twice. */
    while (at < cell->count && cell->members[at].order == order)
        at++;
    if (cell->count == cell->cap) {
        cell->cap = cell->cap ? 2 * cell->cap : 1;
        cell->members = need_resized(cell->members, cell->cap * sizeof(*cell->members));
    }
    memmove(&cell->members[at + 1], &cell->members[at], (cell->count - at) * sizeof(*cell->members));
    cell->members[at] = (struct cell_member){order, piece};
    cell->count++;
    count(cell, &piece->claims, 1);
    touch(cs, cell);
}

void cell_leave(struct cells *cs, struct cell *cell, uint64_t order, const struct member_claims *claims)
{
    unsigned at = position(cell, order);

    ASSERT_CONTROL();
    CHECK(at < cell->count && cell->members[at].order == order);
    cell->count--;
    memmove(&cell->members[at], &cell->members[at + 1], (cell->count - at) * sizeof(*cell->members));
    count(cell, claims, -1);
    touch(cs, cell);
}

static struct slice domain_of(const struct spot *spot)
{
    return slice_of(spot->key, spot->domain_len);
}

static struct slice path_of(const struct spot *spot)
{
    return slice_skip(slice_of(spot->key, spot->key_len), spot->domain_len + 1);
}

bool cell_is_at(const struct cell *cell, struct slice domain, struct slice path, int priority)
{
    return cell->priority == priority && slice_eq(domain_of(cell->spot), domain) &&
           slice_eq(path_of(cell->spot), path);
}

void cell_change(struct cells *cs, struct cell *cell, uint64_t order, const struct member_piece *old,
                 const struct member_piece *piece)
{
    unsigned at = position(cell, order);

    ASSERT_CONTROL();
    CHECK(at < cell->count && cell->members[at].piece == old);
    cell->members[at].piece = piece;
    count(cell, &old->claims, -1);
    count(cell, &piece->claims, 1);
    touch(cs, cell);
}

/* ---- its group */

const struct group *cell_group(const struct cell *cell)
{
    return cell->now ? &cell->now->group : NULL;
}

static void set_balancing(struct group *g, const struct cell *cell)
{
    for (unsigned i = 0; cell->claims.lbs && i < cell->count; i++) {
        const struct member_claims *claims = &cell->members[i].piece->claims;

        if (claims->lb_set) {
            g->lb_policy = (uint8_t)claims->lb_policy;
            return;
        }
    }
}

static void set_policy(struct group *g, const struct cell *cell)
{
    for (unsigned i = 0; cell->claims.policies && i < cell->count; i++) {
        const struct member_claims *claims = &cell->members[i].piece->claims;

        if (claims->policy.len) {
            g->has_policy = true;
            g->policy = claims->policy;
            g->policy_args = claims->policy_args;
            return;
        }
    }
}

/* The limit that lets fewer requests through in the same time wins. */
static bool is_tighter(const struct ratelimit_rules *a, const struct ratelimit_rules *b)
{
    return (double)a->requests * (double)b->window_ms < (double)b->requests * (double)a->window_ms;
}

static void set_limit(struct group *g, const struct cell *cell)
{
    g->has_limit = cell->claims.limits > 0;
    for (unsigned i = 0; cell->claims.limits && i < cell->count; i++) {
        const struct member_piece *p = cell->members[i].piece;
        const struct member_claims *claims = &p->claims;

        if (claims->limit.requests &&
            (!g->limit.rules.requests || is_tighter(&claims->limit, &g->limit.rules)))
            g->limit = (struct group_limit){claims->limit, &p->member, claims->limit_identity, claims->limit_shadow};
    }
}

static void group_free(struct lineage_node *node)
{
    free(CONTAINER_OF(node, struct group_piece, node));
}

/* What is shown at a spot is of the host that there is. */
static uint64_t host_id(struct cells *cs, const struct spot *spot)
{
    return spot->shown ? spot->shown->host_id : router_host_id(&cs->router, domain_of(spot));
}

static struct group_piece *group_new(struct cells *cs, const struct cell *cell)
{
    struct slice path = path_of(cell->spot);
    size_t size = sizeof(struct group_piece) + (cell->count > 1 ? cell->count : 0) * sizeof(struct member *);
    size_t whole = (size + path.len + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct group_piece *p = need_aligned(CACHE_LINE, whole);
    char *text = (char *)p + size;

    memset(p, 0, sizeof(*p));
    lineage_add(cs->lineage, &p->node, group_free);
    memcpy(text, path.data, path.len);
    p->group = (struct group){
        .host_id = host_id(cs, cell->spot),
        .path = slice_of(text, path.len),
        .members = cell->count == 1 ? &p->group.only : p->members,
        .member_count = cell->count,
        .index = cell->index,
        .priority = cell->priority,
        .no_http2 = cell->claims.no_http2 > 0,
        .no_separators = cell->claims.no_separators > 0,
    };
    if (cell->count == 1) {
        p->group.only = &cell->members[0].piece->member;
        p->group.state = p->group.only->state;
    }
    for (unsigned i = 0; cell->count > 1 && i < cell->count; i++)
        p->members[i] = &cell->members[i].piece->member;
    set_balancing(&p->group, cell);
    set_policy(&p->group, cell);
    set_limit(&p->group, cell);
    return p;
}

/* ---- settling */

static const struct group *best_of(const struct spot *spot)
{
    const struct group *best = NULL;

    for (struct cell *cell = spot->cells; cell && !best; cell = cell->next)
        best = cell_group(cell);
    return best;
}

static void show(struct cells *cs, struct spot *spot)
{
    const struct group *best = best_of(spot);

    if (best != spot->shown)
        router_put(&cs->router, domain_of(spot), spot->shown, best);
    spot->shown = best;
}

/* A cell that nobody is in goes, and its spot with the last of them. */
static void cell_free(struct cells *cs, struct cell *cell)
{
    struct spot *spot = cell->spot;
    struct cell **at = &spot->cells;

    while (*at != cell) {
        CHECK(*at);
        at = &(*at)->next;
    }
    *at = cell->next;
    give_index(cs, cell->index);
    free(cell->members);
    free(cell);
    if (!spot->cells) {
        CHECK(!spot->shown);
        map_remove(cs->spots, slice_of(spot->key, spot->key_len));
        free(spot);
    }
}

/* In passes: the router compares with the groups that it has, and a host that loses one and gets another has to
 * stay the same host, so what comes goes before what leaves. */
void cells_settle(struct cells *cs)
{
    struct cell *next;

    ASSERT_CONTROL();
    for (struct cell *cell = cs->dirty; cell; cell = cell->next_dirty) {
        cell->before = cell->now;
        cell->now = cell->count ? group_new(cs, cell) : NULL;
    }
    for (struct cell *cell = cs->dirty; cell; cell = cell->next_dirty)
        if (best_of(cell->spot))
            show(cs, cell->spot);
    for (struct cell *cell = cs->dirty; cell; cell = cell->next_dirty)
        show(cs, cell->spot);
    for (struct cell *cell = cs->dirty; cell; cell = next) {
        next = cell->next_dirty;
        if (cell->before)
            lineage_drop(cs->lineage, &cell->before->node);
        cell->before = NULL;
        cell->dirty = false;
        if (!cell->count)
            cell_free(cs, cell);
    }
    cs->dirty = NULL;
}
