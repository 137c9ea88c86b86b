#include "control/config_set.h"

#include "base/need.h"
#include "control/config_check.h"
#include "control/config_route.h"

#include <stdlib.h>

const char *const scope_names[SCOPES] = {"routes", "headers",   "options",
                                         "health", "ratelimit", "circuit"};

static const char all[] = "ALL";

enum {
    SETTING_KEY_SIZE = 4 + ROUTE_ID_SIZE + KEY_LENGTH_MAX,
    ROUTE_BYTES = 2048, /* what a copy of one takes, maps included */
    SETTING_BYTES = 1024,
    SETTING_OVERHEAD = 96 /* bytes of its place in the maps, and of three blocks of the heap */
};

/* Scope and target; absent for a target that is too long to exist. */
static struct slice group_key(char out[SETTING_KEY_SIZE], enum scope scope, struct slice target)
{
    if (target.len >= ROUTE_ID_SIZE)
        return slice_of(NULL, 0);
    out[0] = (char)('0' + scope);
    memcpy(out + 1, target.data, target.len);
    return slice_of(out, 1 + target.len);
}

/* Those and the key in lower case; absent for one that is too long to exist. */
static struct slice setting_key(char out[SETTING_KEY_SIZE], enum scope scope, struct slice target,
                                struct slice key)
{
    struct slice joined = group_key(out, scope, target);

    if (!joined.data || key.len > KEY_LENGTH_MAX)
        return slice_of(NULL, 0);
    out[joined.len++] = '\n';
    for (size_t i = 0; i < key.len; i++) {
        char c = key.data[i];

        out[joined.len++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return joined;
}

struct setting_group *config_set_group(const struct config_set *set, enum scope scope, struct slice target)
{
    char buf[SETTING_KEY_SIZE];
    struct slice key = group_key(buf, scope, target);

    return key.data ? map_get(set->group_by_target, key) : NULL;
}

static struct setting_entry *find_setting(const struct config_set *set, enum scope scope,
                                          struct slice target, struct slice key)
{
    char buf[SETTING_KEY_SIZE];
    struct slice joined = setting_key(buf, scope, target, key);

    return joined.data ? map_get(set->setting_by_key, joined) : NULL;
}

struct config_set *config_set_new(void)
{
    struct config_set *set = need_zeroed(1, sizeof(*set));

    list_init(&set->routes);
    list_init(&set->groups);
    set->route_by_id = map_new_borrowing();
    set->route_by_place = map_new_borrowing();
    set->group_by_target = map_new();
    set->setting_by_key = map_new();
    return set;
}

static void setting_free(struct setting_entry *setting)
{
    list_remove(&setting->link);
    free(setting->key);
    free(setting->value);
    free(setting);
}

static void forget_setting(struct config_set *set, struct setting_entry *setting)
{
    set->bytes -= config_setting_bytes(slice_str(setting->key), slice_str(setting->value));
    set->setting_count--;
    setting_free(setting);
}

static void group_clear(struct config_set *set, struct setting_group *group)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &group->settings) {
        struct setting_entry *setting = CONTAINER_OF(node, struct setting_entry, link);
        char buf[SETTING_KEY_SIZE];

        map_remove(set->setting_by_key, setting_key(buf, group->scope, slice_str(group->target),
                                                    slice_str(setting->key)));
        forget_setting(set, setting);
    }
}

void config_set_free(struct config_set *set)
{
    struct list *node, *tmp;

    if (!set)
        return;
    map_free(set->route_by_id); /* which have keys of the routes */
    map_free(set->route_by_place);
    LIST_EACH (node, tmp, &set->routes)
        config_route_free(CONTAINER_OF(node, struct route_entry, link));
    LIST_EACH (node, tmp, &set->groups) {
        struct setting_group *group = CONTAINER_OF(node, struct setting_group, link);

        group_clear(set, group);
        free(group);
    }
    map_free(set->group_by_target);
    map_free(set->setting_by_key);
    free(set);
}

static struct setting_group *make_group(struct config_set *set, enum scope scope,
                                        struct slice target)
{
    struct setting_group *group = config_set_group(set, scope, target);
    char buf[SETTING_KEY_SIZE];

    if (group)
        return group;
    group = need_zeroed(1, sizeof(*group));
    group->scope = scope;
    memcpy(group->target, target.data, target.len);
    list_init(&group->settings);
    list_push_back(&set->groups, &group->link);
    map_set(set->group_by_target, group_key(buf, scope, target), group);
    return group;
}

/* Sets or replaces what was checked before. */
static void put(struct config_set *set, enum scope scope, struct slice target, struct slice key,
                struct slice value)
{
    struct setting_entry *setting = find_setting(set, scope, target, key);
    char buf[SETTING_KEY_SIZE];

    set->bytes += config_setting_bytes(key, value);
    if (setting) {
        set->bytes -= config_setting_bytes(slice_str(setting->key), slice_str(setting->value));
        free(setting->key);
        free(setting->value);
    } else {
        setting = need_zeroed(1, sizeof(*setting));
        list_push_back(&make_group(set, scope, target)->settings, &setting->link);
        map_set(set->setting_by_key, setting_key(buf, scope, target, key), setting);
        set->setting_count++;
    }
    setting->key = need_copy(key);
    setting->value = need_copy(value);
}

size_t config_set_size(const struct config_set *set)
{
    return config_set_route_count(set) * (size_t)ROUTE_BYTES + set->setting_count * (size_t)SETTING_BYTES;
}

struct config_set *config_set_copy(const struct config_set *from, struct error *err)
{
    struct config_set *set;
    struct list *node, *tmp;

    if (!need_room(config_set_size(from))) {
        error_set(err, "out of memory");
        return NULL;
    }
    set = config_set_new();
    LIST_EACH (node, tmp, &from->routes)
        config_route_insert(set, config_route_copy(CONTAINER_OF(node, struct route_entry, link)));
    config_set_copy_settings(set, from, SCOPES_ALL);
    return set;
}

void config_set_copy_settings(struct config_set *to, const struct config_set *from, unsigned scopes)
{
    struct list *node, *tmp, *inner, *inner_tmp;

    LIST_EACH (node, tmp, &from->groups) {
        struct setting_group *group = CONTAINER_OF(node, struct setting_group, link);

        if (!(scopes & (1u << group->scope)))
            continue;
        LIST_EACH (inner, inner_tmp, &group->settings) {
            struct setting_entry *setting = CONTAINER_OF(inner, struct setting_entry, link);

            put(to, group->scope, slice_str(group->target), slice_str(setting->key),
                slice_str(setting->value));
        }
    }
}

const struct route_entry *config_set_route(const struct config_set *set, struct slice id)
{
    return map_get(set->route_by_id, id);
}

size_t config_set_bytes(const struct config_set *set)
{
    return set->bytes;
}

/* The key is there twice, in the map with its target. */
size_t config_setting_bytes(struct slice key, struct slice value)
{
    return sizeof(struct setting_entry) + 2 * key.len + SETTING_OVERHEAD + value.len;
}

unsigned config_set_count_others(const struct config_set *set, enum scope scope, struct slice target, struct slice key)
{
    const struct setting_group *group = config_set_group(set, scope, target);
    struct list *node, *tmp;
    unsigned count = 0;

    if (!group)
        return 0;
    LIST_EACH (node, tmp, &group->settings)
        count += !slice_eq_nocase(slice_str(CONTAINER_OF(node, struct setting_entry, link)->key), key);
    return count;
}

unsigned config_set_route_count(const struct config_set *set)
{
    return (unsigned)map_count(set->route_by_id);
}

void config_set_clear_target(struct config_set *set, enum scope scope, struct slice target)
{
    struct setting_group *group = config_set_group(set, scope, target);

    if (group)
        group_clear(set, group);
}

static bool check_target(const struct config_set *set, struct slice target, struct error *err)
{
    if (slice_eq(target, SLICE("ALL")) || config_set_route(set, target))
        return true;
    return error_set(err, "route not found");
}

bool config_set_put(struct config_set *set, enum scope scope, struct slice target, struct slice key,
                    struct slice value, struct error *err)
{
    if (!check_target(set, target, err) || !config_check_setting(scope, key, value, err))
        return false;
    if (set->setting_count >= SET_ENTRIES_MAX)
        return error_set(err, "more than %d settings", SET_ENTRIES_MAX);
    put(set, scope, target, key, value);
    return true;
}

bool config_set_drop(struct config_set *set, enum scope scope, struct slice target,
                     struct slice key, struct error *err)
{
    struct setting_entry *setting;
    char buf[SETTING_KEY_SIZE];

    if (!check_target(set, target, err))
        return false;
    setting = find_setting(set, scope, target, key);
    if (!setting)
        return error_set(err, "%s not set: %.*s", scope_names[scope],
                         (int)(key.len > 100 ? 100 : key.len), key.data);
    map_remove(set->setting_by_key, setting_key(buf, scope, target, key));
    forget_setting(set, setting);
    return true;
}

const struct setting_entry *config_set_effective(const struct config_set *set, enum scope scope,
                                                 const char *route_id, const char *key)
{
    struct setting_entry *own = find_setting(set, scope, slice_str(route_id), slice_str(key));

    return own ? own : find_setting(set, scope, slice_str(all), slice_str(key));
}

const char *config_set_value(const struct config_set *set, enum scope scope, const char *route_id,
                             const char *key)
{
    const struct setting_entry *setting = config_set_effective(set, scope, route_id, key);

    return setting ? setting->value : NULL;
}

void config_set_each_effective(const struct config_set *set, enum scope scope, const char *route_id,
                               void (*fn)(void *arg, const struct setting_entry *setting),
                               void *arg)
{
    const struct setting_group *group = config_set_group(set, scope, slice_str(all));
    struct slice id = slice_str(route_id);
    struct list *node, *tmp;

    if (group) {
        LIST_EACH (node, tmp, &group->settings) {
            struct setting_entry *setting = CONTAINER_OF(node, struct setting_entry, link);

            if (!find_setting(set, scope, id, slice_str(setting->key)))
                fn(arg, setting);
        }
    }
    group = config_set_group(set, scope, id);
    if (group) {
        LIST_EACH (node, tmp, &group->settings)
            fn(arg, CONTAINER_OF(node, struct setting_entry, link));
    }
}
