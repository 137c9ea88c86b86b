#include "config/atlas.h"

#include "base/check.h"
#include "base/map.h"
#include "base/need.h"
#include "config/cell.h"
#include "config/page.h"

#include <stdlib.h>

/* A route, as it was put. */
struct placed {
    struct list link; /* in atlas.routes */
    struct route_state *state;
    struct member_piece *piece;
    uint64_t order;
    struct cell **cells; /* one for each domain */
    unsigned cell_count;
};

struct atlas {
    struct lineage lineage;
    struct table_edit members;
    struct cells cells;
    struct list routes;
    size_t bytes; /* of all pieces */
};

struct atlas *atlas_new(void)
{
    struct atlas *a = need_zeroed(1, sizeof(*a));

    ASSERT_CONTROL();
    lineage_init(&a->lineage);
    table_init(&a->members, &a->lineage);
    cells_init(&a->cells, &a->lineage);
    list_init(&a->routes);
    return a;
}

/* The route is in none of its cells any more. */
static void leave_cells(struct atlas *a, struct placed *p)
{
    for (unsigned i = 0; i < p->cell_count; i++)
        cell_leave(&a->cells, p->cells[i], p->order, &p->piece->claims);
    free(p->cells);
    p->cells = NULL;
    p->cell_count = 0;
}

static void enter_cells(struct atlas *a, struct placed *p, const struct route_input *route)
{
    p->cells = need_zeroed(route->domain_count + 1, sizeof(struct cell *));
    p->cell_count = route->domain_count;
    for (unsigned i = 0; i < p->cell_count; i++) {
        p->cells[i] = cells_at(&a->cells, route->domains[i], route->path, route->priority);
        cell_enter(&a->cells, p->cells[i], p->order, p->piece);
    }
}

/* Is the route of p where it is to be already? */
static bool stays(const struct placed *p, const struct route_input *route)
{
    if (!p->piece || p->order != route->order || p->cell_count != route->domain_count)
        return false;
    for (unsigned i = 0; i < p->cell_count; i++)
        if (!cell_is_at(p->cells[i], route->domains[i], route->path, route->priority))
            return false;
    return true;
}

/* The route has another piece, and perhaps other cells. */
static void settle_in(struct atlas *a, struct placed *p, const struct route_input *route, struct member_piece *piece)
{
    struct member_piece *old = p->piece;

    if (stays(p, route)) {
        p->piece = piece;
        for (unsigned i = 0; i < p->cell_count; i++)
            cell_change(&a->cells, p->cells[i], p->order, old, piece);
        return;
    }
    leave_cells(a, p);
    p->piece = piece;
    p->order = route->order;
    enter_cells(a, p, route);
}

static void drop_piece(struct atlas *a, struct member_piece *piece)
{
    a->bytes -= piece->arena.total;
    lineage_drop(&a->lineage, &piece->node);
}

static struct placed *new_placed(struct atlas *a, struct route_state *state)
{
    struct placed *p = need_zeroed(1, sizeof(*p));

    p->state = route_state_ref(state);
    list_push_back(&a->routes, &p->link);
    state->placed = p;
    return p;
}

void atlas_put(struct atlas *a, const struct route_input *route)
{
    struct placed *p = route->state->placed;
    struct member_piece *old, *piece;

    ASSERT_CONTROL();
    if (!p)
        p = new_placed(a, route->state);
    old = p->piece;
    piece = member_new(&a->lineage, route);
    a->bytes += piece->arena.total;
    table_put(&a->members, snapshot_member_hash(p->state), old ? &old->member : NULL, &piece->member);
    settle_in(a, p, route, piece);
    if (old)
        drop_piece(a, old);
}

void atlas_drop(struct atlas *a, struct route_state *state)
{
    struct placed *p = state->placed;

    ASSERT_CONTROL();
    if (!p)
        return;
    leave_cells(a, p);
    table_remove(&a->members, snapshot_member_hash(state), &p->piece->member);
    drop_piece(a, p->piece);
    list_remove(&p->link);
    free(p);
    state->placed = NULL;
    route_state_unref(state);
}

struct snapshot *atlas_commit(struct atlas *a, struct settings *settings, struct page_book *pages)
{
    struct snapshot *s = need_zeroed(1, sizeof(*s));

    ASSERT_CONTROL();
    cells_settle(&a->cells);
    s->router = router_view(&a->cells.router);
    s->members = a->members.now;
    s->settings = settings_ref(settings);
    s->pages = pages ? page_book_ref(pages) : page_book_new();
    s->group_indices = a->cells.indices;
    s->lineage = &a->lineage;
    lineage_commit(&a->lineage, &s->version);
    s->generation = s->version.number;
    return s;
}

void atlas_free(struct atlas *a)
{
    struct list *node, *tmp;

    if (!a)
        return;
    ASSERT_CONTROL();
    CHECK(list_empty(&a->lineage.versions));
    LIST_EACH (node, tmp, &a->routes)
        atlas_drop(a, CONTAINER_OF(node, struct placed, link)->state);
    cells_settle(&a->cells);
    cells_fini(&a->cells);
    table_fini(&a->members);
    free(a);
}

size_t atlas_bytes(const struct atlas *a)
{
    return a->bytes;
}

bool atlas_any_group(const struct route_state *state,
                     bool (*fn)(const struct group *g, const struct route_state *state))
{
    const struct placed *p = state->placed;

    ASSERT_CONTROL();
    for (unsigned i = 0; p && i < p->cell_count; i++) {
        const struct group *g = cell_group(p->cells[i]);

        if (g && fn(g, state))
            return true;
    }
    return false;
}

bool atlas_is_at(const struct route_input *route)
{
    return route->state->placed && stays(route->state->placed, route);
}
