/* map.h - a hash table from byte strings to pointers.
 *
 * Thread: the one that owns the map. Ownership: keys are copied unless the map borrows them, values belong to the caller. Grows
 * by itself; its memory is base/need.h's. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/slice.h"
#endif

struct map;

struct map *map_new(void);

/* One that copies no keys: a key given to map_set lives until it is removed or the map freed. Setting a key that is
 * there keeps the one given first, so remove it before that goes. */
struct map *map_new_borrowing(void);
void map_free(struct map *m);

/* The value of key, or NULL. */
void *map_get(const struct map *m, struct slice key);

/* Sets key to value (not NULL); returns what it was before, or NULL. */
void *map_set(struct map *m, struct slice key, void *value);

/* Removes key; returns its value, or NULL when there was none. */
void *map_remove(struct map *m, struct slice key);

size_t map_count(const struct map *m);

/* Walks all entries in no order. Start with *cursor = 0; false at the end. key and value may be
 * NULL. The map may not be changed during a walk, except by removing the entry just returned. */
bool map_next(const struct map *m, size_t *cursor, struct slice *key, void **value);
