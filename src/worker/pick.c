#include "worker/pick.h"

#include "base/hash.h"
#include "config/member_state.h"
#include "script/hook.h"
#include "worker/request.h"
#include "worker/source.h"

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

/* The request's number against a member's shares: the first one from the member's sequence, further ones at random. Members of one session's drain judge by
 * the same number: together they turn away their share, not its square. */
static uint32_t draw(struct request *rq, const struct member_state *state, struct route_local *local)
{
    if (state->drain_start_ms && state->drain_start_ms == rq->draw_key)
        return rq->draw;
    if (rq->drawn || !local) {
        /* Two sequences in step would turn away the same requests. */
        rq->draw = (uint32_t)random_next(&rq->worker->random) >> 16;
    } else {
        if (!local->draws)
            local->draws = (uint32_t)random_next(&rq->worker->random); /* workers out of step */
        local->draws += 0x9E3779B9u; /* 2^32 divided by the golden ratio */
        rq->draw = local->draws >> 16;
    }
    rq->drawn = true;
    rq->draw_key = state->drain_start_ms;
    return rq->draw;
}

/* Does it take a draw to tell what becomes of the request at a member in this state? */
static bool is_shared(const struct member_state *state)
{
    return state->draining || state->share < EFFECTIVE_ALL;
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

/* It cannot be used; the foremost reason is kept. */
static enum rank blocked_by(struct search *s, const struct member *m, enum verdict why)
{
    if (!s->whose || why < s->why) {
        s->why = why;
        s->whose = m;
    }
    return may_panic(m, why) ? RANK_PANIC : RANK_NONE;
}

static bool is_too_big(const struct request *rq, const struct member *m)
{
    return m->max_body_size && rq->head.body == BODY_LENGTH &&
           rq->head.content_length > m->max_body_size;
}

/* Would the request become one tunnel too many there? */
static bool is_full(const struct request *rq, const struct member *m)
{
    if (LIKELY(!rq->upgrade.data) || !m->websocket || !m->tunnel_max)
        return false;
    /* Relaxed: admit_member takes the place for certain. */
    return atomic_load_explicit(&m->state->tunnel_places, memory_order_relaxed) >= m->tunnel_max;
}

/* The rank that its state gives it. */
static SELDOM enum rank state_rank(struct search *s, const struct member *m, struct route_local *local)
{
    struct request *rq = s->rq;
    struct member_state state;
    const struct effective_rule *rule;
    uint32_t number = 0;

    member_state_read(m, rq->worker->now_ms, &state);
    if (is_shared(&state))
        number = draw(rq, &state, local);
    if (rq->bypass && (state.facts & EFFECTIVE_IN_MAINTENANCE))
        state.facts ^= EFFECTIVE_IN_MAINTENANCE | EFFECTIVE_IN_SERVICE;
    if (state.draining && number >= state.passes)
        state.facts ^= EFFECTIVE_DRAIN_PASSED | EFFECTIVE_DRAIN_TURNED;
    rule = effective_of(state.facts);
    switch (rule->use) {
    case EFFECTIVE_USE_FULL:
        return RANK_GOOD;
    case EFFECTIVE_USE_SHARED:
        /* Of what a drain lets through, its share. */
        return (uint64_t)number * EFFECTIVE_ALL < (uint64_t)state.passes * state.share
                   ? RANK_GOOD
                   : RANK_SPARED;
    case EFFECTIVE_USE_PROBE:
        return is_repeatable(rq) ? RANK_GOOD : RANK_PROBE;
    case EFFECTIVE_USE_LAST_RESORT:
        return RANK_LAST_RESORT;
    case EFFECTIVE_USE_NONE:
        break;
    }
    if (rule->verdict == VERDICT_DRAINING && !rq->turned && !s->quiet && local)
        COUNTER_ADD(local->turned_by_drain, 1);
    return blocked_by(s, m, rule->verdict);
}

/* What the request's policy makes of a rank. */
static enum rank policy_rank(struct search *s, const struct member *m, enum rank rank)
{
    switch (hook_member(s->rq->exchange, m->state)) {
    case HOOK_MEMBER_ANY:
        break;
    case HOOK_MEMBER_RATHER_NOT:
        return rank == RANK_GOOD ? RANK_UNCHOSEN : rank;
    case HOOK_MEMBER_NEVER:
        return blocked_by(s, m, VERDICT_POLICY_EXCLUDED);
    }
    return rank;
}

static enum rank rank_of(struct search *s, const struct member *m)
{
    struct request *rq = s->rq;
    struct route_local *local;
    enum rank rank = RANK_GOOD;

    if (rq->tries && was_tried(rq, m))
        return m->maintenance && !rq->bypass ? blocked_by(s, m, VERDICT_MAINTENANCE) : RANK_TRIED;
    local = route_state_local(m->state, rq->worker->id);
    if (!member_state_is_plain(m))
        rank = state_rank(s, m, local);
    if (rank < RANK_NONE && is_too_big(rq, m))
        return blocked_by(s, m, VERDICT_BODY_TOO_BIG);
    if (rank < RANK_NONE && is_full(rq, m))
        return blocked_by(s, m, VERDICT_TUNNELS_FULL);
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

    if (LIKELY(rq->group->index < rq->worker->turn_count))
        turn = rq->worker->turns[rq->group->index]++;
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

/* The one that the client belongs to most, else among the best of the others the one that it belongs to most. */
static void look_ip_hash(struct search *s)
{
    const struct group *g = s->rq->group;
    struct address source;
    uint8_t ip[16];
    uint64_t client, most = 0;

    source_of(s->rq, &source);
    client = hash_bytes(ip, address_ip_bytes(&source, ip), 0);
    for (unsigned i = 0; i < g->member_count; i++) {
        uint64_t hash = affinity(client, g->members[i]);

        if (!s->seen[0] || hash > most) {
            s->seen[0] = g->members[i];
            most = hash;
        }
    }
    if (look_at(s, s->seen[0]))
        return;
    most = 0;
    for (unsigned i = 0; i < g->member_count; i++) {
        const struct member *m = g->members[i];
        uint64_t hash = affinity(client, m);
        enum rank rank = m == s->seen[0] ? RANK_TRIED : rank_of(s, m);

        if (rank < s->rank || (rank == s->rank && rank < RANK_NONE && hash > most)) {
            s->rank = rank;
            s->best = m;
            most = hash;
        }
    }
}

/* At those that the group's policy says, in its order. */
static SELDOM void look_around(struct search *s)
{
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

    if (rq->group->member_count == 1)
        (void)look_at(&s, rq->group->members[0]);
    else
        look_around(&s);
    rq->turned = true;
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
