#include "control/maintenance_targets.h"

#include "base/map.h"
#include "base/need.h"
#include "control/config_check.h"
#include "control/config_set.h"
#include "http/path.h"

#include <stdlib.h>

enum {
    KEY_SIZE = 1 + (PATH_LENGTH_MAX > DOMAIN_SIZE ? PATH_LENGTH_MAX : DOMAIN_SIZE),
    TARGETS_MAX = 100000,
    SHOWN = 100 /* bytes of a target in a refusal */
};

/* First byte of a key. */
enum kind { KIND_ALL = 'a', KIND_ID = 'i', KIND_PATH = 'p', KIND_DOMAIN = 'd' };

struct target {
    uint64_t order; /* a higher one is newer */
    bool in;
    bool found; /* while parsed: names a live route */
};

struct maintenance_targets {
    struct map *by_key;
    uint64_t order; /* of the newest */
};

struct maintenance_targets *maintenance_targets_new(void)
{
    struct maintenance_targets *t = need_zeroed(1, sizeof(*t));

    t->by_key = map_new();
    return t;
}

static void clear(struct maintenance_targets *t)
{
    struct slice key;
    size_t cursor = 0;
    void *value;

    while (map_next(t->by_key, &cursor, &key, &value)) {
        free(value);
        map_remove(t->by_key, key);
    }
}

void maintenance_targets_free(struct maintenance_targets *t)
{
    if (!t)
        return;
    clear(t);
    map_free(t->by_key);
    free(t);
}

static void set(struct maintenance_targets *t, struct slice key, bool in)
{
    struct target *target = map_get(t->by_key, key);

    if (!target) {
        target = need_zeroed(1, sizeof(*target));
        (void)map_set(t->by_key, key, target);
    }
    target->in = in;
    target->order = t->order;
}

/* ---- keys */

static struct slice make_key(char out[KEY_SIZE], enum kind kind, struct slice text)
{
    if (text.len >= KEY_SIZE)
        return slice_of(NULL, 0);
    out[0] = (char)kind;
    memcpy(out + 1, text.data, text.len);
    return slice_of(out, text.len + 1);
}

/* "/api" and "/api/" are one path, as everywhere. */
static struct slice path_key(char out[KEY_SIZE], struct slice path)
{
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return make_key(out, KIND_PATH, path);
}

/* Paths of routes are in the form in which requests are matched. */
static struct slice written_path_key(char out[KEY_SIZE], struct slice text)
{
    struct path_result form;
    char path[KEY_SIZE];

    if (text.len > sizeof(path))
        return slice_of(NULL, 0);
    switch (path_normalise(text, path, &form)) {
    case PATH_REFUSED:
        return slice_of(NULL, 0);
    case PATH_MADE:
        return path_key(out, slice_of(path, form.len));
    default:
        return path_key(out, text);
    }
}

/* The key of a target as a client writes it; absent for one that no route can have. */
static struct slice target_key(char out[KEY_SIZE], struct slice text, const struct config_set *live,
                               const struct maintenance_targets *known)
{
    char domain[DOMAIN_SIZE];
    struct error ignored;
    struct slice id;

    if (slice_eq(text, SLICE("ALL")))
        return make_key(out, KIND_ALL, slice_of("", 0));
    if (text.data[0] == '/')
        return written_path_key(out, text);
    id = make_key(out, KIND_ID, text);
    if (config_set_route(live, text) || (known && id.data && map_get(known->by_key, id)))
        return id;
    if (!config_check_domain(text, domain, &ignored))
        return slice_of(NULL, 0);
    return make_key(out, KIND_DOMAIN, slice_str(domain));
}

/* The target of t with this key, or NULL. */
static struct target *at(const struct maintenance_targets *t, struct slice key)
{
    return key.data ? map_get(t->by_key, key) : NULL;
}

/* Calls fn for every target that names the route. */
static void each_of(const struct maintenance_targets *t, const struct route_entry *route,
                    void (*fn)(void *arg, struct target *target), void *arg)
{
    char key[KEY_SIZE];
    struct target *found[3] = {
        at(t, make_key(key, KIND_ALL, slice_of("", 0))),
        at(t, make_key(key, KIND_ID, slice_str(route->id))),
        at(t, path_key(key, slice_str(route->form))),
    };

    for (unsigned i = 0; i < 3; i++) {
        if (found[i])
            fn(arg, found[i]);
    }
    for (unsigned i = 0; i < route->domain_count; i++) {
        struct target *target = at(t, make_key(key, KIND_DOMAIN, slice_str(route->domains[i])));

        if (target)
            fn(arg, target);
    }
}

/* ---- reading */

static void mark_found(void *arg, struct target *target)
{
    (void)arg;
    target->found = true;
}

static bool not_found(struct slice text, struct error *err)
{
    return error_set(err, "route not found: %.*s", SLICE_ARGS(slice_cut(text, SHOWN)));
}

static bool read_all(struct maintenance_targets *t, struct slice text,
                     const struct config_set *live, const struct maintenance_targets *known,
                     struct error *err)
{
    char buf[KEY_SIZE];
    struct slice part;

    while (slice_split(&text, ',', &part)) {
        struct slice key;

        part = slice_trim(part);
        if (part.len == 0)
            return error_set(err, "invalid target: empty");
        key = target_key(buf, part, live, known);
        if (!key.data)
            return not_found(part, err);
        set(t, key, true);
    }
    if (map_count(t->by_key) + (known ? map_count(known->by_key) : 0) > TARGETS_MAX)
        return error_set(err, "target: more than %d in all", TARGETS_MAX);
    return true;
}

/* The first target of text that neither names a live route nor is in known. */
static bool check_all(const struct maintenance_targets *t, struct slice text,
                      const struct config_set *live, const struct maintenance_targets *known,
                      struct error *err)
{
    struct list *node, *tmp;
    char buf[KEY_SIZE];
    struct slice part;

    LIST_EACH (node, tmp, &live->routes)
        each_of(t, CONTAINER_OF(node, struct route_entry, link), mark_found, NULL);
    while (slice_split(&text, ',', &part)) {
        struct slice key = target_key(buf, slice_trim(part), live, known);

        CHECK(key.data); /* read_all has seen to it */
        if (key.data[0] != KIND_ALL && !at(t, key)->found && !(known && at(known, key)))
            return not_found(slice_trim(part), err);
    }
    return true;
}

struct maintenance_targets *maintenance_targets_parse(struct slice text,
                                                      const struct config_set *live,
                                                      const struct maintenance_targets *known,
                                                      struct error *err)
{
    struct maintenance_targets *t = maintenance_targets_new();

    if (read_all(t, text, live, known, err) && check_all(t, text, live, known, err))
        return t;
    maintenance_targets_free(t);
    return NULL;
}

/* ---- using */

void maintenance_targets_put(struct maintenance_targets *t, const struct maintenance_targets *from,
                             bool in)
{
    struct slice key;
    size_t cursor = 0;

    if (at(from, SLICE("a")))
        clear(t); /* nothing older matters any more */
    t->order++;
    while (map_next(from->by_key, &cursor, &key, NULL))
        set(t, key, in);
    if (maintenance_targets_none(t))
        clear(t);
}

void maintenance_targets_prune(struct maintenance_targets *t, const struct config_set *live)
{
    struct slice key;
    size_t cursor = 0;
    void *value;

    while (map_next(t->by_key, &cursor, &key, &value)) {
        if (key.data[0] != KIND_ID || config_set_route(live, slice_of(key.data + 1, key.len - 1)))
            continue;
        free(value);
        map_remove(t->by_key, key);
    }
    if (maintenance_targets_none(t))
        clear(t);
}

static void keep_newest(void *arg, struct target *target)
{
    const struct target **newest = arg;

    if (!*newest || target->order > (*newest)->order)
        *newest = target;
}

bool maintenance_targets_cover(const struct maintenance_targets *t, const struct route_entry *route)
{
    const struct target *newest = NULL;

    each_of(t, route, keep_newest, &newest);
    return newest && newest->in;
}

bool maintenance_targets_none(const struct maintenance_targets *t)
{
    size_t cursor = 0;
    void *value;

    while (map_next(t->by_key, &cursor, NULL, &value)) {
        if (((struct target *)value)->in)
            return false;
    }
    return true;
}
