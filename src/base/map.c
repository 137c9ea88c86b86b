#include "base/map.h"

#include "base/hash.h"
#include "base/need.h"

#include <stdint.h>
#include <stdlib.h>

enum { SLOTS_MIN = 8 };

/* A slot was never used (key NULL, not dead), is in use, or is dead: its entry was removed, and
 * probing goes on past it. Dead slots keep all entries in place, so a walk survives a removal. */
struct slot {
    uint64_t hash;
    char *key; /* NULL when not in use */
    size_t len;
    void *value;
    bool dead;
};

struct map {
    struct slot *slots; /* a power of two of them, or NULL */
    size_t slot_count;
    size_t count; /* slots in use */
    size_t dead;  /* slots dead */
    bool borrows; /* keys are the caller's */
};

struct map *map_new(void)
{
    return need_zeroed(1, sizeof(struct map));
}

struct map *map_new_borrowing(void)
{
    struct map *m = map_new();

    m->borrows = true;
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->slot_count && !m->borrows; i++)
        free(m->slots[i].key);
    free(m->slots);
    free(m);
}

static uint64_t hash_key(struct slice key)
{
    return hash_bytes(key.data, key.len, hash_seed());
}

static struct slot *find(const struct map *m, struct slice key, uint64_t hash)
{
    if (!m->slot_count)
        return NULL;
    for (size_t i = hash & (m->slot_count - 1);; i = (i + 1) & (m->slot_count - 1)) {
        struct slot *slot = &m->slots[i];

        if (!slot->key && !slot->dead)
            return NULL;
        if (slot->key && slot->hash == hash && slice_eq(slice_of(slot->key, slot->len), key))
            return slot;
    }
}

static struct slot *first_unused(struct map *m, uint64_t hash)
{
    size_t i = hash & (m->slot_count - 1);

    while (m->slots[i].key)
        i = (i + 1) & (m->slot_count - 1);
    return &m->slots[i];
}

/* Room for one more entry with a quarter of the slots never used; dead slots are cleared on the
 * way. */
static void make_room(struct map *m)
{
    struct slot *old = m->slots;
    size_t old_count = m->slot_count;
    size_t count = SLOTS_MIN;

    if ((m->count + m->dead + 1) * 4 <= old_count * 3)
        return;
    while ((m->count + 1) * 2 > count)
        count *= 2;
    m->slots = need_zeroed(count, sizeof(*m->slots));
    m->slot_count = count;
    m->dead = 0;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].key)
            *first_unused(m, old[i].hash) = old[i];
    }
    free(old);
}

void *map_get(const struct map *m, struct slice key)
{
    struct slot *slot = find(m, key, hash_key(key));

    return slot ? slot->value : NULL;
}

static char *copy_key(struct slice key)
{
    char *copy = need(key.len + 1);

    if (key.len)
        memcpy(copy, key.data, key.len);
    return copy;
}

void *map_set(struct map *m, struct slice key, void *value)
{
    uint64_t hash = hash_key(key);
    struct slot *slot = find(m, key, hash);
    void *before;
    char *copy;

    CHECK(value);
    if (slot) {
        before = slot->value;
        slot->value = value;
        return before;
    }
    make_room(m);
    slot = first_unused(m, hash);
    copy = m->borrows ? (char *)key.data : copy_key(key);
    m->dead -= slot->dead;
    m->count++;
    *slot = (struct slot){.hash = hash, .key = copy, .len = key.len, .value = value};
    return NULL;
}

void *map_remove(struct map *m, struct slice key)
{
    struct slot *slot = find(m, key, hash_key(key));
    void *value;

    if (!slot)
        return NULL;
    value = slot->value;
    if (!m->borrows)
        free(slot->key);
    *slot = (struct slot){.dead = true};
    m->count--;
    m->dead++;
    return value;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

bool map_next(const struct map *m, size_t *cursor, struct slice *key, void **value)
{
    while (*cursor < m->slot_count) {
        const struct slot *slot = &m->slots[(*cursor)++];

        if (!slot->key)
            continue;
        if (key)
            *key = slice_of(slot->key, slot->len);
        if (value)
            *value = slot->value;
        return true;
    }
    return false;
}
