#include "control/config_route.h"

#include "base/need.h"
#include "control/config_check.h"
#include "control/route_body.h"

#include <stdlib.h>

enum {
    ROUTE_OVERHEAD = 112, /* bytes of its place in the map by id, and of four blocks of the heap */
    DOMAIN_OVERHEAD = 80  /* of a domain's place in the map, its pointer and two blocks of the heap */
};

struct slice config_set_place(char *out, struct slice domain, struct slice path)
{
    for (size_t i = 0; i < domain.len; i++) {
        char c = domain.data[i];

        out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    out[domain.len] = '\n';
    memcpy(out + domain.len + 1, path.data, path.len);
    return slice_of(out, domain.len + 1 + path.len);
}

static size_t bytes_of(size_t path, size_t url, unsigned domains, size_t domain_bytes)
{
    /* Each domain is there twice: by itself, and in the key of its place. */
    return sizeof(struct route_entry) + 2 * ROUTE_ID_SIZE + path + url + ROUTE_OVERHEAD +
           domains * (path + url + DOMAIN_OVERHEAD) + 2 * domain_bytes;
}

static size_t domain_bytes(const struct route_entry *route)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < route->domain_count; i++)
        bytes += strlen(route->domains[i]);
    return bytes;
}

size_t config_route_bytes(const struct route_entry *route)
{
    return bytes_of(strlen(route->path), strlen(route->backend_url), route->domain_count, domain_bytes(route));
}

size_t config_route_bytes_with(const struct route_entry *route, struct slice field, struct slice value)
{
    size_t path = strlen(route->path), url = strlen(route->backend_url), domains = domain_bytes(route);
    unsigned count = route->domain_count;

    if (slice_eq(field, SLICE("path")))
        path = value.len;
    else if (slice_eq(field, SLICE("backend_url")))
        url = value.len;
    else if (slice_eq(field, SLICE("domains")))
        domains = value.len;
    if (slice_eq(field, SLICE("domains"))) {
        count = 1;
        for (size_t i = 0; i < value.len; i++)
            count += value.data[i] == ',';
    }
    return bytes_of(path, url, count, domains);
}

size_t config_route_fields_bytes(const struct route_fields *fields)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < fields->domain_count; i++)
        bytes += fields->domains[i].len;
    return bytes_of(fields->path.len, fields->backend_url.len, fields->domain_count, bytes);
}

void config_route_free(struct route_entry *route)
{
    list_remove(&route->link);
    route_body_unref(route->body);
    if (route->state) /* sets are also made where no state is: off the control thread */
        route_state_unref(route->state);
    free(route);
}

static void take_body(struct route_entry *route, struct route_body *body)
{
    route->body = body;
    route->domains = body->domains;
    route->domain_count = body->domain_count;
    route->path = body->path;
    route->form = body->form;
    route->backend_url = body->backend_url;
    route->url = body->url;
}

/* Makes an entry of checked fields; NULL with the reason. */
static struct route_entry *make_route(const char *id, const struct route_fields *fields,
                                      struct error *err)
{
    struct route_body *body = route_body_new(fields, err);
    struct route_entry *route;

    CHECK(strlen(id) < ROUTE_ID_SIZE);
    if (!body)
        return NULL;
    if (!config_check_priority(fields->priority, err)) {
        route_body_unref(body);
        return NULL;
    }
    route = need_zeroed(1, sizeof(*route));
    list_init(&route->link);
    memcpy(route->id, id, strlen(id) + 1);
    take_body(route, body);
    route->priority = (int)fields->priority;
    return route;
}

struct route_entry *config_route_copy(const struct route_entry *from)
{
    struct route_entry *route = need(sizeof(*route));

    memcpy(route, from, sizeof(*route));
    list_init(&route->link);
    (void)route_body_ref(route->body);
    route->state = from->state ? route_state_ref(from->state) : NULL;
    route->name = NULL;
    return route;
}

bool config_route_check(const struct route_entry *route, struct error *err)
{
    char domain[DOMAIN_SIZE];
    struct url url;

    for (unsigned i = 0; i < route->domain_count; i++) {
        if (!config_check_domain(slice_str(route->domains[i]), domain, err))
            return false;
    }
    return config_check_path("path", slice_str(route->path), err) &&
           config_check_backend(slice_str(route->backend_url), &url, err) &&
           config_check_priority(route->priority, err);
}

/* A route of the set, other than self, that repeats one of the places of route. */
static const struct route_entry *find_duplicate(const struct config_set *set,
                                                const struct route_entry *route,
                                                const struct route_entry *self)
{
    for (unsigned i = 0; i < route->domain_count; i++) {
        const struct route_entry *other =
            map_get(set->route_by_place, route->body->places[i]);

        if (other && other != self)
            return other;
    }
    return NULL;
}

void config_route_insert(struct config_set *set, struct route_entry *route)
{
    set->bytes += config_route_bytes(route);
    list_push_back(&set->routes, &route->link);
    CHECK(!map_set(set->route_by_id, slice_str(route->id), route));
    for (unsigned i = 0; i < route->domain_count; i++)
        CHECK(!map_set(set->route_by_place, route->body->places[i], route));
}

static void forget_places(struct config_set *set, const struct route_entry *route)
{
    for (unsigned i = 0; i < route->domain_count; i++)
        map_remove(set->route_by_place, route->body->places[i]);
}

bool config_set_add_route(struct config_set *set, const char *id, const struct route_fields *fields,
                          struct error *err)
{
    struct route_entry *route = make_route(id, fields, err);
    const struct route_entry *other;

    if (!route)
        return false;
    other = find_duplicate(set, route, NULL);
    if (other)
        error_set(err, "duplicate route: %s", other->id);
    else if (config_set_route_count(set) >= SET_ENTRIES_MAX)
        error_set(err, "more than %d routes", SET_ENTRIES_MAX);
    else if (config_set_route(set, slice_str(id)))
        error_set(err, "route_id: %s exists", id);
    else {
        config_route_insert(set, route);
        return true;
    }
    config_route_free(route);
    return false;
}

static bool parse_priority(struct slice text, int64_t *out, struct error *err)
{
    bool negative = text.len > 1 && text.data[0] == '-';
    int64_t value = 0;

    if (text.len == 0 || text.len > 11)
        return error_set(err, "priority: has to be a whole number");
    for (size_t i = negative; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return error_set(err, "priority: has to be a whole number");
        value = value * 10 + (text.data[i] - '0');
    }
    *out = negative ? -value : value;
    return true;
}

/* The fields of a route with one of them replaced. domains: room for ROUTE_DOMAINS_MAX + 1. */
static bool replace_field(const struct route_entry *route, struct slice field, struct slice value,
                          struct slice *domains, struct route_fields *out, struct error *err)
{
    struct slice rest = value, part;

    *out = (struct route_fields){domains, 0, slice_str(route->path), slice_str(route->backend_url),
                                 route->priority};
    if (slice_eq(field, SLICE("domains"))) {
        while (out->domain_count <= ROUTE_DOMAINS_MAX && slice_split(&rest, ',', &part))
            domains[out->domain_count++] = part;
        return true;
    }
    for (; out->domain_count < route->domain_count; out->domain_count++)
        domains[out->domain_count] = slice_str(route->domains[out->domain_count]);
    if (slice_eq(field, SLICE("path")))
        out->path = value;
    else if (slice_eq(field, SLICE("backend_url")))
        out->backend_url = value;
    else if (slice_eq(field, SLICE("priority")))
        return parse_priority(value, &out->priority, err);
    else
        return error_set(err, "field: has to be backend_url, priority, domains or path");
    return true;
}

bool config_set_update_route(struct config_set *set, struct slice id, struct slice field,
                             struct slice value, struct error *err)
{
    struct route_entry *route = map_get(set->route_by_id, id), *changed;
    struct slice domains[ROUTE_DOMAINS_MAX + 1];
    const struct route_entry *other;
    struct route_fields fields;

    if (!route)
        return error_set(err, "route not found");
    if (!replace_field(route, field, value, domains, &fields, err))
        return false;
    changed = make_route(route->id, &fields, err);
    if (!changed)
        return false;
    other = find_duplicate(set, changed, route);
    if (other) {
        config_route_free(changed);
        return error_set(err, "duplicate route: %s", other->id);
    }
    CHECK(!route->name);
    changed->state = route->state;
    route->state = NULL;
    set->bytes += config_route_bytes(changed) - config_route_bytes(route);
    forget_places(set, route);
    for (unsigned i = 0; i < changed->domain_count; i++)
        map_set(set->route_by_place, changed->body->places[i], changed);
    map_remove(set->route_by_id, slice_str(route->id));
    map_set(set->route_by_id, slice_str(changed->id), changed);
    list_push_back(&route->link, &changed->link);
    config_route_free(route);
    return true;
}

bool config_set_remove_route(struct config_set *set, struct slice id, struct error *err)
{
    struct route_entry *route = map_get(set->route_by_id, id);

    if (!route)
        return error_set(err, "route not found");
    for (unsigned scope = 0; scope < SCOPES; scope++)
        config_set_clear_target(set, (enum scope)scope, slice_str(route->id));
    set->bytes -= config_route_bytes(route);
    forget_places(set, route);
    map_remove(set->route_by_id, slice_str(route->id));
    config_route_free(route);
    return true;
}
