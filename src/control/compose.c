#include "control/compose.h"

#include "base/check.h"
#include "base/need.h"
#include "config/atlas.h"
#include "config/snapshot_check.h"
#include "control/backend_tls.h"
#include "control/control.h"
#include "control/maintenance.h"
#include "control/resolve.h"
#include "script/bundle.h"
#include "tls/server_context.h"

#include <stdlib.h>

enum { FEW = 16 };

struct composition {
    struct atlas *atlas;
    struct route_state *touched; /* by next_touched */
};

/* What a route is like, put together piece by piece. */
struct composer {
    struct header_value *headers; /* of the route at hand; grows */
    unsigned header_cap;
    struct slice *domains; /* the same */
    unsigned domain_cap;
    union option_value options[OPTION_IDS];
    struct route_input input;
};

static void put_option(void *arg, const struct setting_entry *setting)
{
    struct composer *co = arg;
    const struct option_info *option = option_find(slice_str(setting->key));
    struct error err;
    unsigned id;

    CHECK(option);
    id = (unsigned)(option - option_table);
    CHECK(option_parse(option, slice_str(setting->value), &co->options[id], &err));
    if (id == OPTION_POLICY)
        co->input.policy = slice_str(setting->value);
    else if (id == OPTION_POLICY_ARGS)
        co->input.policy_args = slice_str(setting->value);
    co->input.options_set |= UINT64_C(1) << id;
}

static void put_header(void *arg, const struct setting_entry *setting)
{
    struct composer *co = arg;
    unsigned n = co->input.header_count++;

    if (n == co->header_cap) {
        co->header_cap = n ? 2 * n : FEW;
        co->headers = need_resized(co->headers, co->header_cap * sizeof(*co->headers));
    }
    co->headers[n] = (struct header_value){slice_str(setting->key), slice_str(setting->value)};
}

static void put_domains(struct composer *co, const struct route_entry *r)
{
    if (r->domain_count > co->domain_cap) {
        co->domain_cap = r->domain_count + FEW;
        co->domains = need_resized(co->domains, co->domain_cap * sizeof(*co->domains));
    }
    for (unsigned i = 0; i < r->domain_count; i++)
        co->domains[i] = slice_str(r->domains[i]);
    co->input.domains = co->domains;
    co->input.domain_count = r->domain_count;
}

static void put_addresses(struct composer *co, const struct route_entry *r, struct address *ip)
{
    if (r->name) {
        co->input.addresses = resolve_addresses(r->name, &co->input.address_count);
        return;
    }
    CHECK(address_parse_ip(r->url.host, r->url.port, ip) == 0);
    co->input.addresses = ip;
    co->input.address_count = 1;
}

/* The numbers of a setting, which was checked: "3|10000|1". */
static bool read_numbers(const struct config_set *set, enum scope scope, const char *route_id,
                         uint64_t *numbers, unsigned count)
{
    const char *text = config_set_value(set, scope, route_id, "");

    if (!text)
        return false;
    for (unsigned i = 0; i < count; i++) {
        char *end;

        numbers[i] = strtoull(text, &end, 10);
        CHECK(end != text);
        text = end + (*end == '|');
    }
    return true;
}

static uint32_t at_most_32_bits(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static void put_guards(struct composer *co, const struct config_set *set, const char *route_id)
{
    uint64_t n[3];

    if (read_numbers(set, SCOPE_CIRCUIT, route_id, n, 3))
        co->input.circuit = (struct circuit_rules){.threshold = at_most_32_bits(n[0]),
                                                   .timeout_ms = n[1],
                                                   .half_open_requests = at_most_32_bits(n[2])};
    if (read_numbers(set, SCOPE_RATELIMIT, route_id, n, 2))
        co->input.limit = (struct ratelimit_rules){.requests = n[0], .window_ms = n[1]};
}

/* route_id: whose options hold, or "ALL". */
static struct tls_input tls_of(const struct session *s, const char *route_id, const struct url *url)
{
    struct backend_tls_choice choice;
    struct tls_input input = {0};

    if (!url_is_tls(url))
        return input;
    choice = backend_tls_choose(s, s->live, route_id);
    input.client = backend_tls_client(s->control->backend_tls, &choice, url_is_http2(url));
    input.name = backend_tls_name(&choice, url, &input.is_ip);
    return input;
}

static void put_tls(struct composer *co, const struct session *s, const char *route_id)
{
    co->input.tls = tls_of(s, route_id, co->input.url);
    if (co->input.page_url)
        co->input.page_tls = tls_of(s, "ALL", co->input.page_url);
}

/* The order of a group's members: by session, oldest first, and by the numbers of their ids. */
static uint64_t order_of(const struct session *s, const struct route_entry *r)
{
    return ((uint64_t)s->order << 32) + strtoul(r->id + 1, NULL, 10);
}

/* Numeric addresses, to be there as long as the input is. */
struct composed_ips {
    struct address backend, page;
};

/* All that a route is like for workers, into co->input. Whoever changes what is read here touches the route. */
static void compose_route(struct control *c, struct composer *co, const struct session *s, const struct route_entry *r,
                          struct composed_ips *ips)
{
    co->input = (struct route_input){
        .order = order_of(s, r),
        .settings = c->settings,
        .path = slice_str(r->form),
        .priority = r->priority,
        .state = r->state,
        .url = &r->url,
        .options = co->options,
    };
    put_domains(co, r);
    put_addresses(co, r, &ips->backend);
    if (!list_empty(&s->live->groups)) {
        config_set_each_effective(s->live, SCOPE_OPTIONS, r->id, put_option, co);
        config_set_each_effective(s->live, SCOPE_HEADERS, r->id, put_header, co);
        put_guards(co, s->live, r->id);
    }
    co->input.headers = co->headers;
    maintenance_compose(s, r, &co->input, &ips->page);
    put_tls(co, s, r->id);
}

static void put_route(struct control *c, struct composer *co, const struct session *s, const struct route_entry *r)
{
    struct composed_ips ips;

    compose_route(c, co, s, r, &ips);
    atlas_put(c->composition->atlas, &co->input);
}

/* ---- what has changed */

void compose_init(struct control *c)
{
    ASSERT_CONTROL();
    c->composition = need_zeroed(1, sizeof(*c->composition));
    c->composition->atlas = atlas_new();
}

/* The next that was touched, with the reference; NULL: none is left. */
static struct route_state *take_touched(struct composition *cn)
{
    struct route_state *state = cn->touched;

    if (state) {
        cn->touched = state->next_touched;
        state->touched = false;
    }
    return state;
}

void compose_fini(struct control *c)
{
    struct route_state *state;

    ASSERT_CONTROL();
    if (!c->composition)
        return;
    while ((state = take_touched(c->composition)))
        route_state_unref(state);
    atlas_free(c->composition->atlas);
    free(c->composition);
    c->composition = NULL;
}

void compose_touch(struct control *c, struct route_state *state)
{
    struct composition *cn = c->composition;

    ASSERT_CONTROL();
    if (state->touched)
        return;
    state->touched = true;
    state->next_touched = cn->touched;
    cn->touched = route_state_ref(state);
}

void compose_touch_set(struct control *c, const struct config_set *set)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &set->routes)
        compose_touch(c, CONTAINER_OF(node, struct route_entry, link)->state);
}

void compose_touch_all(struct control *c)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &c->model.sessions)
        compose_touch_set(c, CONTAINER_OF(node, struct session, link)->live);
}

void compose_touch_name(struct control *c, const struct resolved *name)
{
    struct list *node, *tmp, *inner, *inner_tmp;

    LIST_EACH (node, tmp, &c->model.sessions) {
        struct session *s = CONTAINER_OF(node, struct session, link);

        if (maintenance_page_name(s) == name)
            compose_touch_set(c, s->live);
        LIST_EACH (inner, inner_tmp, &s->live->routes) {
            struct route_entry *route = CONTAINER_OF(inner, struct route_entry, link);

            if (route->name == name)
                compose_touch(c, route->state);
        }
    }
}

/* ---- snapshots */

/* The live route of a state, or NULL. */
static const struct route_entry *live_route(const struct route_state *state)
{
    const struct route_entry *route = NULL;

    if (state->session)
        route = config_set_route(state->session->live, slice_str(state->route_id));
    return route && route->state == state ? route : NULL;
}

#ifdef DEBUG
/* Did everybody touch what he changed? Then the snapshot is as one that is made of all routes. */
static void check_all(struct control *c, struct composer *co, const struct snapshot *snapshot)
{
    struct list *node, *tmp, *inner, *inner_tmp;
    size_t count = 0;

    LIST_EACH (node, tmp, &c->model.sessions) {
        const struct session *s = CONTAINER_OF(node, struct session, link);

        LIST_EACH (inner, inner_tmp, &s->live->routes) {
            struct composed_ips ips;

            compose_route(c, co, s, CONTAINER_OF(inner, struct route_entry, link), &ips);
            snapshot_check_route(snapshot, &co->input);
            count++;
        }
    }
    snapshot_check_count(snapshot, count);
}
#endif

struct snapshot *compose_snapshot(struct control *c)
{
    struct composition *cn = c->composition;
    struct composer co = {0};
    struct route_state *state;
    struct snapshot *s;

    ASSERT_CONTROL();
    while ((state = take_touched(cn))) {
        const struct route_entry *route = live_route(state);

        if (route)
            put_route(c, &co, state->session, route);
        else
            atlas_drop(cn->atlas, state);
        route_state_unref(state);
    }
    s = atlas_commit(cn->atlas, c->settings, c->pages);
#ifdef DEBUG
    check_all(c, &co, s);
#endif
    free(co.headers);
    free(co.domains);
    s->bundle = bundle_ref(c->bundle);
    if (c->tls)
        s->tls = server_context_ref(c->tls);
    return s;
}

size_t compose_bytes(const struct control *c)
{
    return atlas_bytes(c->composition->atlas);
}
