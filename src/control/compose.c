#include "control/compose.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/map.h"
#include "config/snapshot.h"
#include "control/control.h"
#include "control/resolve.h"

/* One setting of a target ("ALL" or a route id), on the list of that target's. */
struct setting_node {
    const struct setting_entry *setting;
    struct setting_node *next;
};

/* The settings of one session in one scope by target, so that a route's are found without walking
 * all. */
struct setting_index {
    struct map *by_target; /* NULL: the session has none */
    const struct setting_node *all;
};

struct composer {
    struct control *control;
    struct snapshot *snapshot;
    const struct session *session; /* whose settings are indexed */
    struct arena scratch;          /* for that session */
    struct setting_index options, headers;
};

static void index_init(struct composer *co, struct setting_index *index, enum scope scope)
{
    struct list *settings = (struct list *)&co->session->live->settings[scope];
    struct list *at, *tmp;

    *index = (struct setting_index){0};
    LIST_EACH(at, tmp, settings) {
        struct setting_node *node = arena_alloc(&co->scratch, sizeof(*node));

        if (!index->by_target)
            index->by_target = map_new();
        node->setting = CONTAINER_OF(at, struct setting_entry, link);
        node->next = map_set(index->by_target, slice_str(node->setting->target), node);
    }
    if (index->by_target)
        index->all = map_get(index->by_target, SLICE("ALL"));
}

static const struct setting_node *index_own(const struct setting_index *index, const char *route_id)
{
    return index->by_target ? map_get(index->by_target, slice_str(route_id)) : NULL;
}

static void leave_session(struct composer *co)
{
    map_free(co->options.by_target);
    map_free(co->headers.by_target);
    arena_fini(&co->scratch);
}

static void enter_session(struct composer *co, const struct session *s)
{
    leave_session(co);
    co->session = s;
    index_init(co, &co->options, SCOPE_OPTIONS);
    index_init(co, &co->headers, SCOPE_HEADERS);
}

static void put_options(const struct setting_node *node, union option_value *values, uint32_t *set)
{
    for (; node; node = node->next) {
        const struct option_info *option = option_find(slice_str(node->setting->key));
        struct error err;
        unsigned id;

        CHECK(option);
        id = (unsigned)(option - option_table);
        CHECK(option_parse(option, slice_str(node->setting->value), &values[id], &err));
        *set |= 1u << id;
    }
}

static bool has_header(const struct header_value *headers, unsigned count, struct slice name)
{
    for (unsigned i = 0; i < count; i++) {
        if (slice_eq_nocase(headers[i].name, name))
            return true;
    }
    return false;
}

static unsigned count_nodes(const struct setting_node *node)
{
    unsigned n = 0;

    for (; node; node = node->next)
        n++;
    return n;
}

/* A route's own headers, then those for ALL that it has none of its own for. */
static void put_headers(struct composer *co, const char *route_id, struct route_input *input)
{
    const struct setting_node *own = index_own(&co->headers, route_id);
    unsigned own_count = count_nodes(own);
    unsigned total = own_count + count_nodes(co->headers.all);
    struct header_value *headers;
    unsigned n = 0;

    if (total == 0)
        return;
    headers = arena_alloc(&co->scratch, total * sizeof(*headers));
    for (; own; own = own->next)
        headers[n++] =
            (struct header_value){slice_str(own->setting->key), slice_str(own->setting->value)};
    for (const struct setting_node *all = co->headers.all; all; all = all->next) {
        struct slice name = slice_str(all->setting->key);

        if (!has_header(headers, own_count, name))
            headers[n++] = (struct header_value){name, slice_str(all->setting->value)};
    }
    input->headers = headers;
    input->header_count = n;
}

static void put_addresses(const struct route_entry *r, struct address *ip,
                          struct route_input *input)
{
    if (r->name) {
        input->addresses = resolve_addresses(r->name, &input->address_count);
        return;
    }
    CHECK(address_parse_ip(r->url.host, r->url.port, ip) == 0);
    input->addresses = ip;
    input->address_count = 1;
}

static void add_route(void *arg, const struct session *s, const struct route_entry *r)
{
    struct composer *co = arg;
    union option_value values[OPTION_IDS];
    struct slice few[8], *domains = few;
    struct route_input input = {
        .domain_count = r->domain_count,
        .path = slice_str(r->path),
        .priority = r->priority,
        .state = r->state,
        .url = &r->url,
        .options = values,
    };
    struct address ip;

    if (s != co->session)
        enter_session(co, s);
    if (r->domain_count > sizeof(few) / sizeof(few[0]))
        domains = arena_alloc(&co->scratch, r->domain_count * sizeof(*domains));
    for (unsigned i = 0; i < r->domain_count; i++)
        domains[i] = slice_str(r->domains[i]);
    input.domains = domains;
    /* The route's own come second and so win. */
    put_options(co->options.all, values, &input.options_set);
    put_options(index_own(&co->options, r->id), values, &input.options_set);
    put_headers(co, r->id, &input);
    put_addresses(r, &ip, &input);
    snapshot_add(co->snapshot, &input);
}

struct snapshot *compose_snapshot(struct control *c, uint64_t generation)
{
    struct composer co = {.control = c, .snapshot = snapshot_new(generation, c->settings)};

    ASSERT_CONTROL();
    model_each_live(&c->model, add_route, &co);
    leave_session(&co);
    snapshot_seal(co.snapshot);
    return co.snapshot;
}
