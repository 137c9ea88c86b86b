#include "config/snapshot.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/need.h"
#include "config/page.h"
#include "config/router.h"
#include "tls/client_context.h"
#include "tls/server_context.h"

#include <stdlib.h>

enum {
    SNAPSHOT_CIRCUIT_MS = 10 * 1000, /* of a route without a breaker, when its probes fail */
    SNAPSHOT_PAGE_MS = 5 * 1000, /* longest wait for a page server's answer */
    SNAPSHOT_RATE_WINDOW_MS = 10 * 1000,
    SNAPSHOT_RATE_MIN_REQUESTS = 20
};

/* A route in the snapshot, or a page server. All are kept on a list, so that what they reference can be
 * let go. */
struct snapshot_route {
    struct member member;
    struct page *page;      /* referenced, or NULL */
    struct tls_client *tls; /* the same */
    struct snapshot_route *next;
};

struct draft_member {
    const struct member *member;
    struct draft_member *next;
};

/* A group that still grows. In the arena, as everything about it. */
struct draft_group {
    struct group group;
    struct slice host;
    struct draft_member *first, **last;
    bool lb_set; /* lb_policy was set by a member */
    struct draft_group *next;
};

struct snapshot_draft {
    struct map *by_place; /* host, path and priority to draft_group */
    struct draft_group *groups, **last;
    const struct member *page_server; /* the newest; the routes of a session come together */
    char *key;                        /* scratch for building map keys */
    size_t key_size;
};

struct snapshot *snapshot_new(uint64_t generation, struct settings *settings,
                              struct page_book *pages)
{
    struct snapshot *s = need_zeroed(1, sizeof(*s));
    struct snapshot_draft *draft = need_zeroed(1, sizeof(*draft));

    ASSERT_CONTROL();
    s->generation = generation;
    s->settings = settings_ref(settings);
    s->pages = pages ? page_book_ref(pages) : page_book_new();
    arena_init(&s->arena);
    draft->by_place = map_new();
    draft->last = &draft->groups;
    s->draft = draft;
    return s;
}

static void draft_free(struct snapshot *s)
{
    if (!s->draft)
        return;
    map_free(s->draft->by_place);
    free(s->draft->key);
    free(s->draft);
    s->draft = NULL;
}

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

static const struct address *copy_addresses(struct arena *arena, const struct address *addresses,
                                            unsigned count, uint16_t port)
{
    struct address *copy = arena_alloc(arena, count * sizeof(*copy));

    for (unsigned i = 0; i < count; i++) {
        copy[i] = addresses[i];
        if (copy[i].any.sa_family == AF_INET6)
            copy[i].v6.sin6_port = htons(port);
        else
            copy[i].v4.sin_port = htons(port);
    }
    return copy;
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
        rules.timeout_ms = SNAPSHOT_CIRCUIT_MS;
    if (!rules.threshold)
        return rules;
    rules.rate_percent = (uint32_t)option_or(route, OPTION_CIRCUIT_FAILURE_RATE, 0);
    rules.rate_window_ms = timeout_or(route, OPTION_CIRCUIT_WINDOW, SNAPSHOT_RATE_WINDOW_MS);
    rules.rate_min_requests =
        (uint32_t)option_or(route, OPTION_CIRCUIT_MIN_REQUESTS, SNAPSHOT_RATE_MIN_REQUESTS);
    return rules;
}

/* A member for a URL, with the settings where nothing else is said. */
static struct snapshot_route *new_member(struct snapshot *s, struct route_state *state,
                                         const struct url *url, const struct address *addresses,
                                         unsigned address_count)
{
    struct snapshot_route *r = arena_alloc(&s->arena, sizeof(*r));
    struct member *m = &r->member;

    m->state = route_state_ref(state);
    m->addresses = copy_addresses(&s->arena, addresses, address_count, url->port);
    m->address_count = address_count;
    m->http2 = url_is_http2(url);
    m->host = arena_copy(&s->arena, url->authority);
    m->base_path = arena_copy(&s->arena, url->path);
    m->connect_timeout_ms = s->settings->connect_timeout_ms;
    m->response_timeout_ms = s->settings->response_timeout_ms;
    m->max_body_size = s->settings->max_body_size;
    r->next = s->routes;
    s->routes = r;
    return r;
}

static void set_tls(struct snapshot *s, struct snapshot_route *r, const struct tls_input *tls)
{
    if (!tls->client)
        return;
    r->tls = tls_client_ref(tls->client);
    r->member.tls.client = r->tls;
    r->member.tls.name = arena_copy(&s->arena, tls->name).data;
    r->member.tls.is_ip = tls->is_ip;
}

/* Nobody should wait long for a page that says: wait. */
static const struct member *new_page_server(struct snapshot *s, const struct route_input *route)
{
    struct snapshot_route *r = new_member(s, route->page_state, route->page_url, route->page_addresses,
                                          route->page_address_count);
    struct member *m = &r->member;

    set_tls(s, r, &route->page_tls);
    if (m->response_timeout_ms > SNAPSHOT_PAGE_MS)
        m->response_timeout_ms = SNAPSHOT_PAGE_MS;
    return m;
}

static const struct member *page_server(struct snapshot *s, const struct route_input *route)
{
    const struct member *last = s->draft->page_server;

    if (!route->page_url)
        return NULL;
    if (!last || last->state != route->page_state)
        last = new_page_server(s, route);
    s->draft->page_server = last;
    return last;
}

static const struct member *add_member(struct snapshot *s, const struct route_input *route)
{
    const struct settings *settings = s->settings;
    struct snapshot_route *r =
        new_member(s, route->state, route->url, route->addresses, route->address_count);
    struct member *m = &r->member;

    set_tls(s, r, &route->tls);
    m->headers = copy_headers(&s->arena, route);
    m->header_count = route->header_count;
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
    if (route->maintenance) {
        r->page = page_ref(route->maintenance);
        m->maintenance = r->page;
        m->page_server = page_server(s, route);
    }
    return m;
}

/* host NUL path NUL priority: neither of the texts has a NUL in it. */
static struct slice place_key(struct snapshot_draft *draft, struct slice host, struct slice path,
                              int priority)
{
    size_t len = host.len + path.len + 2 + sizeof(priority);

    if (draft->key_size < len) {
        draft->key = need_resized(draft->key, 2 * len);
        draft->key_size = 2 * len;
    }
    memcpy(draft->key, host.data, host.len);
    draft->key[host.len] = '\0';
    memcpy(draft->key + host.len + 1, path.data, path.len);
    draft->key[host.len + 1 + path.len] = '\0';
    memcpy(draft->key + host.len + path.len + 2, &priority, sizeof(priority));
    return slice_of(draft->key, len);
}

static struct draft_group *group_at(struct snapshot *s, struct slice host,
                                    const struct route_input *route)
{
    struct snapshot_draft *draft = s->draft;
    struct slice key = place_key(draft, host, route->path, route->priority);
    struct draft_group *g = map_get(draft->by_place, key);

    if (g)
        return g;
    g = arena_alloc(&s->arena, sizeof(*g));
    g->group.index = s->group_count++;
    g->group.priority = route->priority;
    g->group.path = arena_copy(&s->arena, route->path);
    g->host = arena_copy(&s->arena, host);
    g->last = &g->first;
    *draft->last = g;
    draft->last = &g->next;
    (void)map_set(draft->by_place, key, g);
    return g;
}

/* The limit that lets fewer requests through in the same time wins. */
static bool is_tighter(const struct ratelimit_rules *a, const struct ratelimit_rules *b)
{
    return (double)a->requests * (double)b->window_ms < (double)b->requests * (double)a->window_ms;
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

static void limit_group(struct group *g, const struct route_input *route, const struct member *member)
{
    if (!route->limit.requests)
        return;
    if (g->limit.rules.requests && !is_tighter(&route->limit, &g->limit.rules))
        return;
    g->limit.rules = route->limit;
    g->limit.member = member;
    g->limit.identity = limit_identity(route);
    g->limit.shadow = option_or(route, OPTION_RATELIMIT_SHADOW, false) != 0;
}

static void set_policy(struct snapshot *s, struct group *g, const struct route_input *route)
{
    if (g->policy.len || !route->policy.data)
        return;
    g->policy = arena_copy(&s->arena, route->policy);
    g->policy_args =
        arena_copy(&s->arena, route->policy_args.data ? route->policy_args : SLICE(""));
}

void snapshot_add(struct snapshot *s, const struct route_input *route)
{
    const struct member *member = add_member(s, route);

    CHECK(s->draft);
    for (unsigned i = 0; i < route->domain_count; i++) {
        struct draft_group *g = group_at(s, route->domains[i], route);
        struct draft_member *dm = arena_alloc(&s->arena, sizeof(*dm));

        if (!g->lb_set && is_set(route, OPTION_LB_POLICY)) {
            g->lb_set = true;
            g->group.lb_policy = (enum lb_policy)route->options[OPTION_LB_POLICY].number;
        }
        g->group.no_http2 |= !option_or(route, OPTION_HTTP2, true);
        g->group.no_separators |= !option_or(route, OPTION_ENCODED_SEPARATORS, false);
        limit_group(&g->group, route, member);
        set_policy(s, &g->group, route);
        dm->member = member;
        *g->last = dm;
        g->last = &dm->next;
        g->group.member_count++;
    }
}

static void seal_group(struct snapshot *s, struct draft_group *g)
{
    const struct member **members =
        arena_alloc(&s->arena, g->group.member_count * sizeof(*members));
    unsigned i = 0;

    for (struct draft_member *dm = g->first; dm; dm = dm->next)
        members[i++] = dm->member;
    g->group.members = members;
}

void snapshot_seal(struct snapshot *s)
{
    struct router_entry *entries = need_zeroed(s->group_count + 1, sizeof(*entries));
    const struct group **groups = arena_alloc(&s->arena, (s->group_count + 1) * sizeof(*groups));
    unsigned i = 0;

    CHECK(s->draft);
    for (struct draft_group *g = s->draft->groups; g; g = g->next) {
        seal_group(s, g);
        groups[i] = &g->group;
        entries[i++] = (struct router_entry){g->host, &g->group};
    }
    CHECK(i == s->group_count);
    s->groups = groups;
    s->router = router_build(&s->arena, entries, i);
    free(entries);
    draft_free(s);
}

const struct member *snapshot_member(const struct snapshot *s, const struct route_state *state)
{
    for (const struct snapshot_route *r = s->routes; r; r = r->next)
        if (r->member.state == state)
            return &r->member;
    return NULL;
}

void snapshot_free(struct snapshot *s)
{
    if (!s)
        return;
    ASSERT_CONTROL();
    CHECK(s->leases == 0);
    draft_free(s);
    for (struct snapshot_route *r = s->routes; r; r = r->next) {
        route_state_unref(r->member.state);
        page_unref(r->page);
        tls_client_unref(r->tls);
    }
    settings_unref((struct settings *)s->settings);
    page_book_unref((struct page_book *)s->pages);
    server_context_unref(s->tls);
    arena_fini(&s->arena);
    free(s);
}
