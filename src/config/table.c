#include "config/table.h"

#include "base/check.h"
#include "base/need.h"

#include <stdlib.h>

enum { CACHE_LINE = 64 };

static void page_free(struct lineage_node *node)
{
    free(CONTAINER_OF(node, struct table_page, node));
}

static void directory_free(struct lineage_node *node)
{
    free(CONTAINER_OF(node, struct table, node));
}

static struct table_page *page_new(struct table_edit *e)
{
    size_t size = (sizeof(struct table_page) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    struct table_page *page = need_aligned(CACHE_LINE, size);

    memset(page, 0, size);
    lineage_add(e->lineage, &page->node, page_free);
    return page;
}

static size_t page_count(const struct table *t)
{
    return (t->mask + 1) / TABLE_PAGE;
}

static struct table *directory_new(struct table_edit *e, size_t slots)
{
    size_t count = slots / TABLE_PAGE;
    struct table *t = need_zeroed(1, sizeof(*t) + count * sizeof(t->pages[0]));

    lineage_add(e->lineage, &t->node, directory_free);
    t->mask = slots - 1;
    return t;
}

static void make(struct table_edit *e, size_t slots)
{
    e->now = directory_new(e, slots);
    for (size_t i = 0; i < page_count(e->now); i++)
        e->now->pages[i] = page_new(e);
}

static void drop(struct table_edit *e, struct table *t)
{
    for (size_t i = 0; i < page_count(t); i++)
        lineage_drop(e->lineage, &t->pages[i]->node);
    lineage_drop(e->lineage, &t->node);
}

void table_init(struct table_edit *e, struct lineage *lineage)
{
    *e = (struct table_edit){.lineage = lineage};
    make(e, TABLE_PAGE);
}

void table_fini(struct table_edit *e)
{
    drop(e, e->now);
    e->now = NULL;
}

static const struct table_slot *slot_at(const struct table_edit *e, size_t i)
{
    i &= e->now->mask;
    return &e->now->pages[i / TABLE_PAGE]->slots[i % TABLE_PAGE];
}

/* The directory that this version may change. */
static struct table *own_directory(struct table_edit *e)
{
    struct table *old = e->now;

    if (!lineage_is_own(e->lineage, &old->node)) {
        e->now = directory_new(e, old->mask + 1);
        memcpy(e->now->pages, old->pages, page_count(old) * sizeof(old->pages[0]));
        lineage_drop(e->lineage, &old->node);
    }
    return e->now;
}

static struct table_slot *own_slot(struct table_edit *e, size_t i)
{
    struct table *t = own_directory(e);
    struct table_page **page = &t->pages[(i & t->mask) / TABLE_PAGE], *old = *page;

    if (!lineage_is_own(e->lineage, &old->node)) {
        *page = page_new(e);
        memcpy((*page)->slots, old->slots, sizeof(old->slots));
        lineage_drop(e->lineage, &old->node);
    }
    return &(*page)->slots[(i & t->mask) % TABLE_PAGE];
}

/* Where value stands under the hash; NULL: the first unused slot. */
static size_t find(const struct table_edit *e, uint64_t hash, const void *value)
{
    size_t i = (size_t)hash;

    while (slot_at(e, i)->value != value || (value && slot_at(e, i)->hash != hash)) {
        CHECK(slot_at(e, i)->value);
        i++;
    }
    return i;
}

static void resize(struct table_edit *e, size_t slots)
{
    struct table *old = e->now;

    make(e, slots);
    for (size_t i = 0; i <= old->mask; i++) {
        const struct table_slot *slot = &old->pages[i / TABLE_PAGE]->slots[i % TABLE_PAGE];

        if (slot->value)
            *own_slot(e, find(e, slot->hash, NULL)) = *slot;
    }
    drop(e, old);
}

void table_put(struct table_edit *e, uint64_t hash, const void *old, const void *value)
{
    ASSERT_CONTROL();
    CHECK(value);
    if (!old && 2 * ++e->used > e->now->mask + 1)
        resize(e, 2 * (e->now->mask + 1));
    *own_slot(e, find(e, hash, old)) = (struct table_slot){hash, value};
}

/* Entries behind the gap that may stand nearer to where they belong move up, so that no search stops short. */
static void close_gap(struct table_edit *e, size_t gap)
{
    const size_t mask = e->now->mask;

    for (size_t i = gap + 1; slot_at(e, i)->value; i++) {
        struct table_slot slot = *slot_at(e, i);

        if (((i - (size_t)slot.hash) & mask) < ((i - gap) & mask))
            continue;
        *own_slot(e, gap) = slot;
        gap = i;
    }
    *own_slot(e, gap) = (struct table_slot){0};
}

void table_remove(struct table_edit *e, uint64_t hash, const void *value)
{
    ASSERT_CONTROL();
    CHECK(value && e->used > 0);
    close_gap(e, find(e, hash, value));
    if (16 * --e->used < e->now->mask + 1 && e->now->mask + 1 > TABLE_PAGE)
        resize(e, (e->now->mask + 1) / 2);
}
