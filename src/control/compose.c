#include "control/compose.h"

#include "base/check.h"
#include "base/need.h"
#include "config/snapshot.h"
#include "control/backend_tls.h"
#include "control/control.h"
#include "control/maintenance.h"
#include "control/resolve.h"
#include "script/bundle.h"
#include "tls/server_context.h"

#include <stdlib.h>

enum { FEW = 16 };

struct composer {
    struct control *control;
    struct snapshot *snapshot;
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

static void add_route(void *arg, const struct session *s, const struct route_entry *r)
{
    struct composer *co = arg;
    struct address ip, page_ip;

    co->input = (struct route_input){
        .path = slice_str(r->form),
        .priority = r->priority,
        .state = r->state,
        .url = &r->url,
        .options = co->options,
    };
    put_domains(co, r);
    put_addresses(co, r, &ip);
    if (!list_empty(&s->live->groups)) {
        config_set_each_effective(s->live, SCOPE_OPTIONS, r->id, put_option, co);
        config_set_each_effective(s->live, SCOPE_HEADERS, r->id, put_header, co);
        put_guards(co, s->live, r->id);
    }
    co->input.headers = co->headers;
    maintenance_compose(s, r, &co->input, &page_ip);
    put_tls(co, s, r->id);
    snapshot_add(co->snapshot, &co->input);
}

struct snapshot *compose_snapshot(struct control *c, uint64_t generation)
{
    struct composer co = {.control = c, .snapshot = snapshot_new(generation, c->settings, c->pages)};

    ASSERT_CONTROL();
    co.snapshot->bundle = bundle_ref(c->bundle);
    if (c->tls)
        co.snapshot->tls = server_context_ref(c->tls);
    model_each_live(&c->model, add_route, &co);
    free(co.headers);
    free(co.domains);
    snapshot_seal(co.snapshot);
    return co.snapshot;
}
