/* Two sets side by side: what differs, and one made of both. */
#include "control/config_check.h"
#include "control/config_route.h"

#include <stdlib.h>

bool route_entry_equal(const struct route_entry *a, const struct route_entry *b)
{
    if (a->body == b->body)
        return a->priority == b->priority;
    if (a->domain_count != b->domain_count || a->priority != b->priority ||
        strcmp(a->path, b->path) != 0 || strcmp(a->backend_url, b->backend_url) != 0)
        return false;
    for (unsigned i = 0; i < a->domain_count; i++) {
        if (strcmp(a->domains[i], b->domains[i]) != 0)
            return false;
    }
    return true;
}

static unsigned long id_number(const struct list *node)
{
    const struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

    return strtoul(route->id + 1, NULL, 10);
}

void config_set_each_route(const struct config_set *live, const struct config_set *draft,
                           void (*fn)(void *arg, enum route_change change,
                                      const struct route_entry *old, const struct route_entry *new),
                           void *arg)
{
    const struct list *old = live->routes.next, *new = draft->routes.next;

    /* Ids count up and are never given twice, so both lists are in their order. */
    while (old != &live->routes || new != &draft->routes) {
        const struct route_entry *a = old != &live->routes ? CONTAINER_OF(old, struct route_entry, link) : NULL;
        const struct route_entry *b = new != &draft->routes ? CONTAINER_OF(new, struct route_entry, link) : NULL;

        if (a && b && strcmp(a->id, b->id) != 0) {
            if (id_number(old) < id_number(new))
                b = NULL;
            else
                a = NULL;
        }
        if (a)
            old = old->next;
        if (b)
            new = new->next;
        if (a && b)
            fn(arg, route_entry_equal(a, b) ? ROUTE_SAME : ROUTE_MODIFIED, a, b);
        else
            fn(arg, a ? ROUTE_REMOVED : ROUTE_ADDED, a, b);
    }
}

static void count_route(void *arg, enum route_change change, const struct route_entry *old,
                        const struct route_entry *new)
{
    struct scope_diff *diff = arg;

    (void)old;
    (void)new;
    diff->added += change == ROUTE_ADDED;
    diff->removed += change == ROUTE_REMOVED;
    diff->modified += change == ROUTE_MODIFIED;
}

struct scope_diff config_set_diff(const struct config_set *live, const struct config_set *draft,
                                  enum scope scope)
{
    const struct setting_entry *old, *new;
    struct scope_diff diff = {0, 0, 0};
    size_t cursor = 0;
    struct slice key;
    void *value;

    if (scope == SCOPE_ROUTES) {
        config_set_each_route(live, draft, count_route, &diff);
        return diff;
    }
    while (map_next(draft->setting_by_key, &cursor, &key, &value)) {
        if (key.data[0] != '0' + (char)scope)
            continue;
        new = value;
        old = map_get(live->setting_by_key, key);
        if (!old)
            diff.added++;
        else if (strcmp(old->value, new->value) != 0 || strcmp(old->key, new->key) != 0)
            diff.modified++;
    }
    cursor = 0;
    while (map_next(live->setting_by_key, &cursor, &key, NULL)) {
        if (key.data[0] == '0' + (char)scope && !map_get(draft->setting_by_key, key))
            diff.removed++;
    }
    return diff;
}

static bool has_target(const struct config_set *set, const struct setting_group *group)
{
    return strcmp(group->target, "ALL") == 0 || config_set_route(set, slice_str(group->target));
}

/* to has the settings of live: those of the scopes in the mask are replaced by draft's, but kept
 * for routes that are live on although the draft lacks them, as they go when their route does. */
static bool merge_settings(struct config_set *to, const struct config_set *draft, unsigned scopes,
                           struct error *err)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &to->groups) {
        struct setting_group *group = CONTAINER_OF(node, struct setting_group, link);
        bool drop = (scopes & (1u << group->scope)) && has_target(draft, group);

        if (drop || !has_target(to, group))
            config_set_clear_target(to, group->scope, slice_str(group->target));
    }
    config_set_copy_settings(to, draft, scopes);
    LIST_EACH (node, tmp, &to->groups) {
        struct setting_group *group = CONTAINER_OF(node, struct setting_group, link);

        if (!list_empty(&group->settings) && !has_target(to, group))
            return error_set(err, "%s of %s: route %s is not active, apply routes too",
                             scope_names[group->scope], group->target, group->target);
    }
    return true;
}

struct config_set *config_set_merge(const struct config_set *live, const struct config_set *draft,
                                    unsigned scopes, struct error *err)
{
    const struct config_set *routes = scopes & (1u << SCOPE_ROUTES) ? draft : live;
    struct config_set *set = config_set_new();
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &routes->routes)
        config_route_insert(set, config_route_copy(CONTAINER_OF(node, struct route_entry, link)));
    config_set_copy_settings(set, live, SCOPES_ALL);
    if (merge_settings(set, draft, scopes, err))
        return set;
    config_set_free(set);
    return NULL;
}

static bool validate_group(const struct config_set *set, const struct setting_group *group,
                           struct error *err)
{
    struct list *node, *tmp;
    struct error why;

    if (!has_target(set, group) && !list_empty(&group->settings))
        return error_set(err, "%s: route %s not found", scope_names[group->scope], group->target);
    LIST_EACH (node, tmp, &group->settings) {
        struct setting_entry *setting = CONTAINER_OF(node, struct setting_entry, link);

        if (!config_check_setting(group->scope, slice_str(setting->key), slice_str(setting->value),
                                  &why))
            return error_set(err, "%s of %s: %.200s", scope_names[group->scope], group->target,
                             why.text);
    }
    return true;
}

bool config_set_validate(const struct config_set *set, struct error *err)
{
    struct list *node, *tmp;
    struct error why;

    LIST_EACH (node, tmp, &set->routes) {
        struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        if (!config_route_check(route, &why))
            return error_set(err, "route %s: %.200s", route->id, why.text);
    }
    LIST_EACH (node, tmp, &set->groups) {
        if (!validate_group(set, CONTAINER_OF(node, struct setting_group, link), err))
            return false;
    }
    return true;
}
