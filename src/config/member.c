#include "config/member.h"

#include "base/check.h"
#include "base/hash.h"
#include "config/page.h"
#include "tls/client_context.h"

#include <stdlib.h>

enum {
    MEMBER_CIRCUIT_MS = 10 * 1000, /* of a route without a breaker, when its probes fail */
    MEMBER_PAGE_MS = 5 * 1000,     /* longest wait for a page server's answer */
    MEMBER_RATE_WINDOW_MS = 10 * 1000,
    MEMBER_RATE_MIN_REQUESTS = 20,
    PIECE_EXTRA = 16 /* bytes: what aligning one piece of the arena takes at most, and a NUL */
};

static bool is_set(const struct route_input *route, enum option_id id)
{
    return (route->options_set & (UINT64_C(1) << id)) != 0;
}

/* The route's own value, else fallback. Zero stands for "not set" where it could only do harm. */
static uint64_t option_or(const struct route_input *route, enum option_id id, uint64_t fallback)
{
    return is_set(route, id) ? route->options[id].number : fallback;
}

static uint64_t timeout_or(const struct route_input *route, enum option_id id, uint64_t fallback)
{
    uint64_t ms = option_or(route, id, fallback);

    return ms ? ms : fallback;
}

static void set_addresses(struct member *m, struct arena *arena, const struct address *addresses,
                          unsigned count, uint16_t port)
{
    struct address *copy = count == 1 ? &m->first : arena_alloc(arena, count * sizeof(*copy));

    for (unsigned i = 0; i < count; i++) {
        copy[i] = addresses[i];
        if (copy[i].any.sa_family == AF_INET6)
            copy[i].v6.sin6_port = htons(port);
        else
            copy[i].v4.sin_port = htons(port);
    }
    m->addresses = copy;
    m->address_count = count;
}

static const struct header_value *copy_headers(struct arena *arena, const struct route_input *route)
{
    struct header_value *copy = arena_alloc(arena, route->header_count * sizeof(*copy));

    for (unsigned i = 0; i < route->header_count; i++) {
        copy[i].name = arena_copy(arena, route->headers[i].name);
        copy[i].value = arena_copy(arena, route->headers[i].value);
    }
    return copy;
}

static struct circuit_rules circuit_rules(const struct route_input *route)
{
    struct circuit_rules rules = route->circuit;

    if (!rules.timeout_ms)
        rules.timeout_ms = MEMBER_CIRCUIT_MS;
    if (!rules.threshold)
        return rules;
    rules.rate_percent = (uint32_t)option_or(route, OPTION_CIRCUIT_FAILURE_RATE, 0);
    rules.rate_window_ms = timeout_or(route, OPTION_CIRCUIT_WINDOW, MEMBER_RATE_WINDOW_MS);
    rules.rate_min_requests =
        (uint32_t)option_or(route, OPTION_CIRCUIT_MIN_REQUESTS, MEMBER_RATE_MIN_REQUESTS);
    return rules;
}

/* What a member for a URL has, with the settings where nothing else is said. */
static void fill(struct member *m, struct arena *arena, const struct settings *settings,
                 struct route_state *state, const struct url *url, const struct address *addresses,
                 unsigned address_count)
{
    m->state = route_state_ref(state);
    set_addresses(m, arena, addresses, address_count, url->port);
    m->http2 = url_is_http2(url);
    m->host = arena_copy(arena, url->authority);
    m->base_path = arena_copy(arena, url->path);
    m->has_base_path = m->base_path.len > 0;
    m->connect_timeout_ms = settings->connect_timeout_ms;
    m->response_timeout_ms = settings->response_timeout_ms;
    m->max_body_size = settings->max_body_size;
}

/* Returns what is referenced, or NULL. */
static struct tls_client *set_tls(struct member *m, struct arena *arena, const struct tls_input *tls)
{
    if (!tls->client)
        return NULL;
    m->tls.client = tls_client_ref(tls->client);
    m->tls.name = arena_copy(arena, tls->name).data;
    m->tls.is_ip = tls->is_ip;
    return tls->client;
}

/* Nobody should wait long for a page that says: wait. */
static void set_page_server(struct member_piece *p, const struct route_input *route)
{
    struct member *m = &p->page_server;

    fill(m, &p->arena, route->settings, route->page_state, route->page_url, route->page_addresses,
         route->page_address_count);
    p->page_tls = set_tls(m, &p->arena, &route->page_tls);
    if (m->response_timeout_ms > MEMBER_PAGE_MS)
        m->response_timeout_ms = MEMBER_PAGE_MS;
    p->member.page_server = m;
}

static void set_maintenance(struct member_piece *p, const struct route_input *route)
{
    if (!route->maintenance)
        return;
    p->page = page_ref(route->maintenance);
    p->member.maintenance = p->page;
    if (route->page_url)
        set_page_server(p, route);
}

static void set_options(struct member *m, const struct route_input *route)
{
    const struct settings *settings = route->settings;

    m->connect_timeout_ms = timeout_or(route, OPTION_CONNECT_TIMEOUT, settings->connect_timeout_ms);
    m->response_timeout_ms = timeout_or(route, OPTION_TIMEOUT, settings->response_timeout_ms);
    m->max_body_size = option_or(route, OPTION_MAX_BODY_SIZE, settings->max_body_size);
    m->retries = (unsigned)option_or(route, OPTION_RETRIES, settings->retries);
    m->websocket = option_or(route, OPTION_WEBSOCKET, true) != 0;
    m->tunnel_idle_ms = timeout_or(route, OPTION_WEBSOCKET_IDLE, settings->tunnel_idle_ms);
    m->tunnel_age_ms = option_or(route, OPTION_WEBSOCKET_MAX_AGE, 0);
    m->tunnel_max = (uint32_t)option_or(route, OPTION_WEBSOCKET_MAX, 0);
    m->request_max = (uint32_t)option_or(route, OPTION_MAX_REQUESTS, 0);
    m->preserve_host = option_or(route, OPTION_PRESERVE_HOST, true) != 0;
    m->compression = option_or(route, OPTION_COMPRESSION, false) != 0;
    m->slow_start_ms = option_or(route, OPTION_SLOW_START, 0);
    m->fail_open = option_or(route, OPTION_PANIC, PANIC_NONE) == PANIC_FAIL_OPEN;
    m->circuit = circuit_rules(route);
    m->counts_rate = m->circuit.rate_percent > 0;
}

/* What is limited together: the places of a route, of all instances of its service. */
static uint64_t limit_identity(const struct route_input *route)
{
    uint64_t hash = hash_bytes(route->state->service, strlen(route->state->service), 0);

    hash = hash_bytes(route->path.data, route->path.len, hash);
    hash = hash_bytes(&route->priority, sizeof(route->priority), hash);
    for (unsigned i = 0; i < route->domain_count; i++)
        hash = hash_bytes(route->domains[i].data, route->domains[i].len, hash);
    return hash;
}

static void set_claims(struct member_piece *p, const struct route_input *route)
{
    struct member_claims *claims = &p->claims;

    claims->lb_set = is_set(route, OPTION_LB_POLICY);
    if (claims->lb_set)
        claims->lb_policy = (enum lb_policy)route->options[OPTION_LB_POLICY].number;
    claims->no_http2 = !option_or(route, OPTION_HTTP2, true);
    claims->no_separators = !option_or(route, OPTION_ENCODED_SEPARATORS, false);
    claims->limit = route->limit;
    if (route->limit.requests)
        claims->limit_identity = limit_identity(route);
    claims->limit_shadow = option_or(route, OPTION_RATELIMIT_SHADOW, false) != 0;
    if (route->policy.data) {
        claims->policy = arena_copy(&p->arena, route->policy);
        claims->policy_args =
            arena_copy(&p->arena, route->policy_args.data ? route->policy_args : SLICE(""));
    }
}

/* About what the arena has to hold; one chunk then does for all. */
static size_t estimate(const struct route_input *route)
{
    size_t size = sizeof(struct member_piece) + 64 + PIECE_EXTRA * 16;

    size += (route->address_count + route->page_address_count) * sizeof(struct address);
    size += route->url->authority.len + route->url->path.len + route->tls.name.len;
    size += route->header_count * (sizeof(*route->headers) + 2 * (size_t)PIECE_EXTRA);
    for (unsigned i = 0; i < route->header_count; i++)
        size += route->headers[i].name.len + route->headers[i].value.len;
    return size + route->policy.len + route->policy_args.len;
}

static void piece_free(struct lineage_node *node)
{
    struct member_piece *p = CONTAINER_OF(node, struct member_piece, node);
    struct arena arena = p->arena;

    route_state_unref(p->member.state);
    route_state_unref(p->page_server.state);
    page_unref(p->page);
    tls_client_unref(p->tls);
    tls_client_unref(p->page_tls);
    arena_fini(&arena);
}

struct member_piece *member_new(struct lineage *l, const struct route_input *route)
{
    struct member_piece *p;
    struct arena arena;

    ASSERT_CONTROL();
    arena_init_for(&arena, estimate(route));
    p = arena_alloc(&arena, sizeof(*p));
    p->arena = arena;
    lineage_add(l, &p->node, piece_free);
    fill(&p->member, &p->arena, route->settings, route->state, route->url, route->addresses,
         route->address_count);
    p->tls = set_tls(&p->member, &p->arena, &route->tls);
    p->member.headers = copy_headers(&p->arena, route);
    p->member.header_count = route->header_count;
    set_options(&p->member, route);
    set_maintenance(p, route);
    set_claims(p, route);
    return p;
}
