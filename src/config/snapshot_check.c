#include "config/snapshot_check.h"

#include "base/check.h"
#include "config/atlas.h"
#include "config/page.h"

#include <string.h>

static bool same_text(struct slice a, struct slice b)
{
    return a.data && b.data ? slice_eq(a, b) : a.data == b.data;
}

static const struct member_piece *piece_of(const struct member *m)
{
    return CONTAINER_OF(m, struct member_piece, member);
}

static void check_addresses(const struct member *a, const struct member *b)
{
    CHECK(a->address_count == b->address_count);
    for (unsigned i = 0; i < a->address_count; i++)
        CHECK(address_equal(&a->addresses[i], &b->addresses[i]));
}

static void check_headers(const struct member *a, const struct member *b)
{
    CHECK(a->header_count == b->header_count);
    for (unsigned i = 0; i < a->header_count; i++)
        CHECK(same_text(a->headers[i].name, b->headers[i].name) && same_text(a->headers[i].value, b->headers[i].value));
}

static void check_tls(const struct member_tls *a, const struct member_tls *b)
{
    CHECK(a->client == b->client && a->is_ip == b->is_ip);
    CHECK(!a->client || strcmp(a->name, b->name) == 0);
}

/* Members and claims are made in zeroed memory, field by field, so that what does not point anywhere can be compared
 * as bytes: a field that is added is, too. */
static bool same_bytes(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

static void forget_pointers(struct member *m)
{
    m->addresses = NULL;
    m->first = (struct address){0};
    m->tls = (struct member_tls){0};
    m->headers = NULL;
    m->base_path = m->host = (struct slice){0};
    m->page_server = NULL;
}

static void check_rest(const struct member *a, const struct member *b)
{
    struct member x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    forget_pointers(&x);
    forget_pointers(&y);
    CHECK(same_bytes(&x, &y, sizeof(x)));
}

static void check_member(const struct member *a, const struct member *b)
{
    CHECK(a->state == b->state && a->maintenance == b->maintenance);
    check_addresses(a, b);
    check_headers(a, b);
    check_tls(&a->tls, &b->tls);
    CHECK(same_text(a->base_path, b->base_path) && same_text(a->host, b->host));
    CHECK(!a->page_server == !b->page_server);
    check_rest(a, b);
}

static void check_claims(const struct member_claims *a, const struct member_claims *b)
{
    struct member_claims x, y;

    CHECK(same_text(a->policy, b->policy) && same_text(a->policy_args, b->policy_args));
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    x.policy = y.policy = x.policy_args = y.policy_args = (struct slice){0};
    CHECK(same_bytes(&x, &y, sizeof(x)));
}

static void check_piece(const struct member_piece *a, const struct member_piece *b)
{
    check_member(&a->member, &b->member);
    if (a->member.page_server)
        check_member(a->member.page_server, b->member.page_server);
    check_claims(&a->claims, &b->claims);
}

/* ---- groups */

static const struct member_claims *claims_at(const struct group *g, unsigned i)
{
    return &piece_of(g->members[i])->claims;
}

/* What a group says for all: by counting its members, not by what was counted as they came and went. */
static void check_facts(const struct group *g)
{
    const struct member_claims *lb = NULL, *policy = NULL;
    bool no_http2 = false, no_separators = false, limit = false;

    for (unsigned i = 0; i < g->member_count; i++) {
        const struct member_claims *claims = claims_at(g, i);

        no_http2 |= claims->no_http2;
        no_separators |= claims->no_separators;
        limit |= claims->limit.requests > 0;
        lb = !lb && claims->lb_set ? claims : lb;
        policy = !policy && claims->policy.len ? claims : policy;
    }
    CHECK(g->no_http2 == no_http2 && g->no_separators == no_separators && g->has_limit == limit);
    CHECK(g->lb_policy == (lb ? (uint8_t)lb->lb_policy : 0));
    CHECK(g->has_policy == (policy != NULL));
    CHECK(!policy || (same_text(g->policy, policy->policy) && same_text(g->policy_args, policy->policy_args)));
}

/* Is the route, which atlas_any_group has as a group's, not one of the group's members? */
static bool lacks(const struct group *g, const struct route_state *state)
{
    for (unsigned i = 0; i < g->member_count; i++)
        if (g->members[i]->state == state)
            return false;
    return true;
}

static bool check_group(const struct group *g, const struct route_state *state)
{
    CHECK(!lacks(g, state));
    check_facts(g);
    return false;
}

/* ---- all of it */

/* The groups have the members that the snapshot has, none of before. */
static void check_shown(const struct snapshot *s, const struct route_input *route)
{
    const struct group *g;

    for (unsigned i = 0; i < route->domain_count; i++) {
        g = router_match(&s->router, route->domains[i], route->path, 0);
        CHECK(g && g->priority >= route->priority);
        for (unsigned j = 0; j < g->member_count; j++)
            CHECK(snapshot_member(s, g->members[j]->state) == g->members[j]);
    }
}

void snapshot_check_route(const struct snapshot *s, const struct route_input *route)
{
    const struct member *m = snapshot_member(s, route->state);
    struct member_piece *anew = member_new(s->lineage, route);

    CHECK(m && atlas_is_at(route));
    check_piece(piece_of(m), anew);
    CHECK(!atlas_any_group(route->state, check_group));
    check_shown(s, route);
    lineage_drop(s->lineage, &anew->node);
}

void snapshot_check_count(const struct snapshot *s, size_t routes)
{
    size_t count = 0;

    for (size_t i = 0; i <= s->members->mask; i++)
        count += s->members->pages[i / TABLE_PAGE]->slots[i % TABLE_PAGE].value != NULL;
    CHECK(count == routes);
}
