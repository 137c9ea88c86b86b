#include "worker/pick.h"

#include "base/hash.h"
#include "config/member_state.h"
#include "worker/client.h"
#include "worker/policy.h"
#include "worker/request.h"

/* Best first. */
enum rank {
    RANK_GOOD,
    RANK_UNCHOSEN,    /* as good, but the policy would rather have another */
    RANK_SPARED,      /* its share says: not this one */
    RANK_SUSPECT,     /* refused a connection within the last second */
    RANK_LAST_RESORT, /* its session is gone */
    RANK_PROBE,       /* half-open, and the request cannot be repeated */
    RANK_PANIC,       /* down, but its group is told to go on all the same */
    RANK_UNRESOLVED,  /* no address */
    RANK_NONE,        /* the verdict says why */
    RANK_TRIED
};

/* What was found so far, in the order of the policy. */
struct search {
    struct request *rq;
    const struct member *best;
    enum rank rank;
    enum verdict why; /* the foremost reason among those that cannot be used: the smallest */
    const struct member *whose;
    const struct member *seen[2]; /* looked at already, before all in turn */
    bool quiet;                   /* only looks: counts nothing */
};

static bool was_tried(const struct request *rq, const struct member *m)
{
    for (unsigned i = 0; i < rq->tries; i++)
        if (rq->tried[i] == m->state)
            return true;
    return false;
}

/* The request's number against shares, drawn from the first member that asks for it. */
static uint32_t draw(struct request *rq, struct route_local *local)
{
    if (!rq->drawn) {
        if (local)
            local->draws += 0x9E3779B9u; /* 2^32 divided by the golden ratio */
        rq->draw = local ? local->draws >> 16 : 0;
        rq->drawn = true;
    }
    return rq->draw;
}

/* Can it be sent again, whatever happens to it? */
static bool is_repeatable(const struct request *rq)
{
    return http_method_is_idempotent(rq->head.method) && rq->head.body == BODY_NONE;
}

static bool may_panic(const struct member *m, enum verdict why)
{
    return m->fail_open && (why == VERDICT_CIRCUIT_OPEN || why == VERDICT_CIRCUIT_PROBING ||
                            why == VERDICT_HEALTH_DOWN);
}

/* The rank that its state gives it. */
static enum rank state_rank(struct search *s, const struct member *m, struct route_local *local)
{
    struct request *rq = s->rq;
    struct member_state state;
    const struct effective_rule *rule;

    member_state_read(m, rq->worker->now_ms, &state);
    if (rq->bypass && (state.facts & EFFECTIVE_IN_MAINTENANCE))
        state.facts ^= EFFECTIVE_IN_MAINTENANCE | EFFECTIVE_IN_SERVICE;
    if (state.draining && draw(rq, local) >= state.passes)
        state.facts ^= EFFECTIVE_DRAIN_PASSED | EFFECTIVE_DRAIN_TURNED;
    rule = effective_of(state.facts);
    switch (rule->use) {
    case EFFECTIVE_USE_FULL:
        return RANK_GOOD;
    case EFFECTIVE_USE_SHARED:
        /* Of what a drain lets through, its share. */
        return (uint64_t)draw(rq, local) * EFFECTIVE_ALL < (uint64_t)state.passes * state.share
                   ? RANK_GOOD
                   : RANK_SPARED;
    case EFFECTIVE_USE_PROBE:
        return is_repeatable(rq) ? RANK_GOOD : RANK_PROBE;
    case EFFECTIVE_USE_LAST_RESORT:
        return RANK_LAST_RESORT;
    case EFFECTIVE_USE_NONE:
        break;
    }
    if (rule->verdict == VERDICT_DRAINING && !rq->tries && !s->quiet && local)
        COUNTER_ADD(local->turned_by_drain, 1);
    if (!s->whose || rule->verdict < s->why) {
        s->why = rule->verdict;
        s->whose = m;
    }
    return may_panic(m, rule->verdict) ? RANK_PANIC : RANK_NONE;
}

/* What the request's policy makes of a rank. */
static enum rank policy_rank(struct search *s, const struct member *m, enum rank rank)
{
    switch (policy_choice(s->rq, m)) {
    case POLICY_ANY:
        break;
    case POLICY_RATHER_NOT:
        return rank == RANK_GOOD ? RANK_UNCHOSEN : rank;
    case POLICY_NEVER:
        if (!s->whose || VERDICT_POLICY_EXCLUDED < s->why) {
            s->why = VERDICT_POLICY_EXCLUDED;
            s->whose = m;
        }
        return RANK_NONE;
    }
    return rank;
}

static enum rank rank_of(struct search *s, const struct member *m)
{
    struct request *rq = s->rq;
    struct route_local *local;
    enum rank rank = RANK_GOOD;

    if (rq->tries && was_tried(rq, m))
        return RANK_TRIED;
    local = route_state_local(m->state, rq->worker->id);
    if (!member_state_is_plain(m))
        rank = state_rank(s, m, local);
    if (rank < RANK_NONE && !m->address_count)
        return RANK_UNRESOLVED;
    if (UNLIKELY(rq->exchange) && rank < RANK_NONE)
        rank = policy_rank(s, m, rank);
    if (rank < RANK_SUSPECT && local && local->suspect_until_ms > rq->worker->now_ms)
        return RANK_SUSPECT;
    return rank;
}

/* Looks at a member; true: it is as good as any, look no further. */
static bool look_at(struct search *s, const struct member *m)
{
    enum rank rank = rank_of(s, m);

    if (rank < s->rank) {
        s->rank = rank;
        s->best = m;
    }
    return rank == RANK_GOOD;
}

/* At all of them, from index start on, around. */
static void look_from(struct search *s, unsigned start)
{
    const struct group *g = s->rq->group;

    for (unsigned i = 0; i < g->member_count; i++) {
        unsigned at = start + i < g->member_count ? start + i : start + i - g->member_count;

        if (g->members[at] != s->seen[0] && g->members[at] != s->seen[1] &&
            look_at(s, g->members[at]))
            return;
    }
}

static void look_round_robin(struct search *s)
{
    struct request *rq = s->rq;
    uint32_t turn = 0;

    if (rq->lease->turns)
        turn = rq->lease->turns[rq->group->index]++;
    look_from(s, turn % rq->group->member_count);
}

static uint32_t in_flight(const struct request *rq, const struct member *m)
{
    struct route_local *local = route_state_local(m->state, rq->worker->id);

    return local ? atomic_load_explicit(&local->in_flight, memory_order_relaxed) : 0;
}

/* Two different ones at random, the less busy first (Mitzenmacher 2001). */
static void look_least_request(struct search *s)
{
    const struct group *g = s->rq->group;
    uint64_t r = random_next(&s->rq->worker->random);
    unsigned a = (uint32_t)r % g->member_count;
    unsigned b = (a + 1 + (uint32_t)(r >> 32) % (g->member_count - 1)) % g->member_count;

    if (in_flight(s->rq, g->members[b]) < in_flight(s->rq, g->members[a])) {
        unsigned less_busy = b;

        b = a;
        a = less_busy;
    }
    s->seen[0] = g->members[a];
    s->seen[1] = g->members[b];
    if (!look_at(s, s->seen[0]) && !look_at(s, s->seen[1]))
        look_from(s, a);
}

/* How much the client belongs to a member: when one comes or goes, only its own clients move (rendezvous
 * hashing, Thaler and Ravishankar 1996). */
static uint64_t affinity(uint64_t client, const struct member *m)
{
    return hash_u64(client ^ m->state->identity);
}

/* The one that the client belongs to most, then the others in the order of how much it belongs to them. */
static void look_ip_hash(struct search *s)
{
    const struct group *g = s->rq->group;
    uint8_t ip[16];
    uint64_t client = hash_bytes(ip, address_ip_bytes(&s->rq->client->peer, ip), 0);
    uint64_t limit = UINT64_MAX;

    for (unsigned i = 0; i < g->member_count; i++) {
        const struct member *next = NULL;
        uint64_t most = 0;

        for (unsigned j = 0; j < g->member_count; j++) {
            uint64_t hash = affinity(client, g->members[j]);

            if (hash < limit && (!next || hash > most)) {
                next = g->members[j];
                most = hash;
            }
        }
        if (!next || look_at(s, next))
            return;
        limit = most;
    }
}

static void look(struct search *s)
{
    if (s->rq->group->member_count == 1) {
        (void)look_at(s, s->rq->group->members[0]);
        return;
    }
    switch (s->rq->group->lb_policy) {
    case LB_LEAST_REQUEST:
        look_least_request(s);
        break;
    case LB_IP_HASH:
        look_ip_hash(s);
        break;
    default:
        look_round_robin(s);
    }
}

const struct member *pick_member(struct request *rq, enum verdict *why, const struct member **whose)
{
    struct search s = {.rq = rq, .rank = RANK_NONE, .why = VERDICT_PASS};

    look(&s);
    rq->panic = s.rank == RANK_PANIC;
    *why = s.why;
    *whose = s.whose;
    return s.best;
}

static bool is_draining(const struct member *m)
{
    /* Relaxed: advice to a client, no decision. */
    return (atomic_load_explicit(&m->state->posture, memory_order_relaxed) & ROUTE_POSTURE_DRAINING) != 0;
}

bool pick_group_drains(const struct request *rq)
{
    if (LIKELY(!is_draining(rq->member)))
        return false;
    for (unsigned i = 0; i < rq->group->member_count; i++)
        if (!is_draining(rq->group->members[i]))
            return false;
    return true;
}

bool pick_has_other(struct request *rq)
{
    struct search s = {.rq = rq, .rank = RANK_NONE, .quiet = true};
    const struct member *own = rq->member;

    for (unsigned i = 0; i < rq->group->member_count; i++) {
        const struct member *m = rq->group->members[i];

        if (m->state != own->state)
            (void)look_at(&s, m);
    }
    return s.best && s.rank < RANK_PANIC;
}
