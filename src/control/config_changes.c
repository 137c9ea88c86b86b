/* What an apply changes, route by route. */
#include "base/need.h"
#include "control/config_route.h"

#include <stdlib.h>

enum { FEW = 16 };

/* Both as one target has them; their order counts, too: headers are sent in it. */
static bool same_settings(const struct setting_group *one, const struct setting_group *other)
{
    const struct list *x = one ? one->settings.next : NULL, *y = other ? other->settings.next : NULL;

    while (one && x != &one->settings && other && y != &other->settings) {
        const struct setting_entry *p = CONTAINER_OF(x, struct setting_entry, link);
        const struct setting_entry *q = CONTAINER_OF(y, struct setting_entry, link);

        if (strcmp(p->key, q->key) != 0 || strcmp(p->value, q->value) != 0)
            return false;
        x = x->next;
        y = y->next;
    }
    return (!one || x == &one->settings) && (!other || y == &other->settings);
}

/* Notes for the routes of now where their settings differ from before's, or from now's when mirrored; returns the
 * scopes in which those for all do. */
static unsigned compare_groups(const struct config_set *from, const struct config_set *to, const struct config_set *now)
{
    struct list *node, *tmp;
    unsigned all = 0;

    LIST_EACH (node, tmp, &from->groups) {
        const struct setting_group *group = CONTAINER_OF(node, struct setting_group, link);
        struct slice target = slice_str(group->target);
        struct route_entry *route;

        if (same_settings(group, config_set_group(to, group->scope, target)))
            continue;
        route = map_get(now->route_by_id, target);
        if (route)
            route->differs |= 1u << group->scope;
        else if (slice_eq(target, SLICE("ALL")))
            all |= 1u << group->scope;
    }
    return all;
}

/* What config_set_each_route fills. */
struct gathering {
    struct set_changes *out;
    unsigned all; /* scopes in which the settings for all routes differ */
};

static void gather(void *arg, enum route_change change, const struct route_entry *old, const struct route_entry *new)
{
    struct gathering *g = arg;
    struct set_changes *out = g->out;
    unsigned scopes = g->all;

    if (change != ROUTE_SAME || old->state != new->state)
        scopes |= 1u << SCOPE_ROUTES;
    if (new)
        scopes |= new->differs;
    if (!scopes)
        return;
    if (out->count == out->cap) {
        out->cap = out->cap ? 2 * out->cap : FEW;
        out->list = need_resized(out->list, out->cap * sizeof(*out->list));
    }
    out->list[out->count++] = (struct set_change){old, new, scopes};
}

static void forget_marks(const struct set_changes *changes)
{
    for (unsigned i = 0; i < changes->count; i++)
        if (changes->list[i].now)
            ((struct route_entry *)changes->list[i].now)->differs = 0;
}

void config_set_changes(const struct config_set *before, const struct config_set *now, struct set_changes *out)
{
    struct gathering g = {.out = out};

    *out = (struct set_changes){0};
    g.all = compare_groups(before, now, now) | compare_groups(now, before, now);
    config_set_each_route(before, now, gather, &g);
    forget_marks(out);
}

void config_set_changes_fini(struct set_changes *changes)
{
    free(changes->list);
    *changes = (struct set_changes){0};
}
