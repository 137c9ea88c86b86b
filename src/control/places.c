#include "control/places.h"

#include "base/check.h"
#include "base/map.h"
#include "base/need.h"
#include "control/config_check.h"

#include <stdlib.h>

/* One service at one place; several share a place only while the hook that forbids it is not there.
 */
struct owner {
    struct owner *next;
    unsigned routes; /* of this service here, over all its sessions */
    char service[];
};

struct place {
    struct owner *owners; /* never NULL */
};

struct places {
    struct map *by_key;
};

struct places *places_new(void)
{
    struct places *p = need_zeroed(1, sizeof(*p));

    p->by_key = map_new();
    return p;
}

void places_free(struct places *p)
{
    size_t cursor = 0;
    void *value;

    if (!p)
        return;
    while (map_next(p->by_key, &cursor, NULL, &value)) {
        struct place *place = value;

        while (place->owners) {
            struct owner *owner = place->owners;

            place->owners = owner->next;
            free(owner);
        }
        free(place);
    }
    map_free(p->by_key);
    free(p);
}

static struct owner **find_owner(struct place *place, const char *service)
{
    struct owner **at = &place->owners;

    while (*at && strcmp((*at)->service, service) != 0)
        at = &(*at)->next;
    return at;
}

static void add_place(struct places *p, struct slice key, const char *service)
{
    struct place *place = map_get(p->by_key, key);
    struct owner **at;

    if (!place) {
        place = need_zeroed(1, sizeof(*place));
        map_set(p->by_key, key, place);
    }
    at = find_owner(place, service);
    if (!*at) {
        *at = need_zeroed(1, sizeof(**at) + strlen(service) + 1);
        memcpy((*at)->service, service, strlen(service) + 1);
    }
    (*at)->routes++;
}

static void remove_place(struct places *p, struct slice key, const char *service)
{
    struct place *place = map_get(p->by_key, key);
    struct owner **at, *owner;

    CHECK(place);
    at = find_owner(place, service);
    owner = *at;
    CHECK(owner && owner->routes > 0);
    if (--owner->routes > 0)
        return;
    *at = owner->next;
    free(owner);
    if (!place->owners) {
        map_remove(p->by_key, key);
        free(place);
    }
}

/* "/api" and "/api/" are one place: whoever has the first must not lose what is below it to the second. */
static struct slice place_key(char *buf, struct slice domain, struct slice path)
{
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return config_set_place(buf, domain, path);
}

static void each_place(struct places *p, const struct route_entry *route, const char *service,
                       void (*fn)(struct places *p, struct slice key, const char *service))
{
    char buf[DOMAIN_SIZE + PATH_LENGTH_MAX + 1];

    for (unsigned i = 0; i < route->domain_count; i++)
        fn(p, place_key(buf, slice_str(route->domains[i]), slice_str(route->form)), service);
}

void places_add_route(struct places *p, const struct route_entry *route, const char *service)
{
    each_place(p, route, service, add_place);
}

void places_remove_route(struct places *p, const struct route_entry *route, const char *service)
{
    each_place(p, route, service, remove_place);
}

void places_remove(struct places *p, const struct config_set *set, const char *service)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &set->routes)
        places_remove_route(p, CONTAINER_OF(node, struct route_entry, link), service);
}

static unsigned count_routes(const struct place *place)
{
    unsigned count = 0;

    for (const struct owner *owner = place ? place->owners : NULL; owner; owner = owner->next)
        count += owner->routes;
    return count;
}

bool places_has_company(const struct places *p, const struct route_entry *route)
{
    char buf[DOMAIN_SIZE + PATH_LENGTH_MAX + 1];

    for (unsigned i = 0; i < route->domain_count; i++) {
        struct slice key = place_key(buf, slice_str(route->domains[i]), slice_str(route->form));

        if (count_routes(map_get(p->by_key, key)) > 1)
            return true;
    }
    return false;
}

const char *places_other(const struct places *p, struct slice domain, struct slice path,
                         const char *service)
{
    char buf[DOMAIN_SIZE + PATH_LENGTH_MAX + 1];
    const struct place *place;

    if (domain.len >= DOMAIN_SIZE || path.len > PATH_LENGTH_MAX)
        return NULL;
    place = map_get(p->by_key, place_key(buf, domain, path));
    for (const struct owner *owner = place ? place->owners : NULL; owner; owner = owner->next) {
        if (strcmp(owner->service, service) != 0)
            return owner->service;
    }
    return NULL;
}
