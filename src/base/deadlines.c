#include "base/deadlines.h"

#include "base/need.h"

#include <stdlib.h>

enum { ARITY = 4, ROOM_FIRST = 64 };

/* look_ms is at or before the deadline's at_ms, but for one that was put off. */
struct deadline_entry {
    uint64_t look_ms;
    struct deadline *deadline;
};

void deadlines_init(struct deadlines *ds)
{
    *ds = (struct deadlines){.next_ms = DEADLINE_NONE};
}

void deadlines_fini(struct deadlines *ds)
{
    CHECK(ds->count == 0);
    free(ds->heap);
    deadlines_init(ds);
}

/* Places count from 1 in struct deadline, from 0 in the heap. */
static void put(struct deadlines *ds, uint32_t at, struct deadline_entry e)
{
    ds->heap[at] = e;
    e.deadline->place = at + 1;
    if (at == 0)
        ds->next_ms = e.look_ms;
}

static void move_up(struct deadlines *ds, uint32_t at, struct deadline_entry e)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / ARITY;

        if (ds->heap[parent].look_ms <= e.look_ms)
            break;
        put(ds, at, ds->heap[parent]);
        at = parent;
    }
    put(ds, at, e);
}

static uint32_t earliest_child(const struct deadlines *ds, uint32_t at)
{
    uint32_t first = at * ARITY + 1, best = first;

    for (uint32_t i = first + 1; i < first + ARITY && i < ds->count; i++)
        if (ds->heap[i].look_ms < ds->heap[best].look_ms)
            best = i;
    return best;
}

static void move_down(struct deadlines *ds, uint32_t at, struct deadline_entry e)
{
    while (at * ARITY + 1 < ds->count) {
        uint32_t child = earliest_child(ds, at);

        if (e.look_ms <= ds->heap[child].look_ms)
            break;
        put(ds, at, ds->heap[child]);
        at = child;
    }
    put(ds, at, e);
}

static void move(struct deadlines *ds, uint32_t at, struct deadline_entry e)
{
    if (at > 0 && e.look_ms < ds->heap[(at - 1) / ARITY].look_ms)
        move_up(ds, at, e);
    else
        move_down(ds, at, e);
}

/* Puts it where look_ms belongs. */
static void look_at(struct deadlines *ds, struct deadline *d, uint64_t look_ms)
{
    struct deadline_entry e = {look_ms, d};

    if (d->place) {
        move(ds, d->place - 1, e);
        return;
    }
    if (ds->count == ds->room) {
        ds->room = ds->room ? 2 * ds->room : ROOM_FIRST;
        ds->heap = need_resized(ds->heap, ds->room * sizeof(*ds->heap));
    }
    move_up(ds, ds->count++, e);
}

void deadlines_set(struct deadlines *ds, struct deadline *d, uint64_t at_ms)
{
    d->at_ms = at_ms;
    if (at_ms != DEADLINE_NONE && (!d->place || at_ms < ds->heap[d->place - 1].look_ms))
        look_at(ds, d, at_ms);
}

void deadlines_put_off(struct deadlines *ds, struct deadline *d, uint64_t look_ms)
{
    look_at(ds, d, look_ms);
}

void deadlines_drop(struct deadlines *ds, struct deadline *d)
{
    uint32_t at = d->place - 1;

    if (!d->place)
        return;
    CHECK(ds->heap[at].deadline == d);
    d->place = 0;
    if (at != --ds->count)
        move(ds, at, ds->heap[ds->count]);
    else if (at == 0)
        ds->next_ms = DEADLINE_NONE;
}

struct deadline *deadlines_take(struct deadlines *ds, uint64_t now_ms, uint64_t *late_ms)
{
    while (ds->count && ds->heap[0].look_ms <= now_ms) {
        struct deadline *d = ds->heap[0].deadline;

        *late_ms = now_ms - ds->heap[0].look_ms;
        if (d->at_ms == DEADLINE_NONE || d->at_ms <= now_ms) {
            deadlines_drop(ds, d);
            if (d->at_ms != DEADLINE_NONE)
                return d;
        } else {
            look_at(ds, d, d->at_ms);
        }
    }
    return NULL;
}
