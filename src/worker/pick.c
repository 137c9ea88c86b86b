#include "worker/pick.h"

#include "base/hash.h"
#include "worker/client.h"
#include "worker/request.h"

enum rank { RANK_GOOD, RANK_SUSPECT, RANK_LAST_RESORT, RANK_UNRESOLVED, RANK_TRIED };

static bool was_tried(const struct request *rq, const struct member *m)
{
    for (unsigned i = 0; i < rq->tries; i++)
        if (rq->tried[i] == m->state)
            return true;
    return false;
}

static enum rank rank_of(const struct request *rq, const struct member *m)
{
    struct route_local *local;

    if (rq->tries && was_tried(rq, m))
        return RANK_TRIED;
    if (!m->address_count)
        return RANK_UNRESOLVED;
    if (route_state_session(m->state) != ROUTE_CONNECTED)
        return RANK_LAST_RESORT;
    local = route_state_local(m->state, rq->worker->id);
    if (local && local->suspect_until_ms > rq->worker->now_ms)
        return RANK_SUSPECT;
    return RANK_GOOD;
}

/* The first of the best rank, from index start on, around. */
static const struct member *pick_from(const struct request *rq, unsigned start)
{
    const struct group *g = rq->group;
    const struct member *best = NULL;
    enum rank best_rank = RANK_TRIED;

    for (unsigned i = 0; i < g->member_count; i++) {
        unsigned at = start + i < g->member_count ? start + i : start + i - g->member_count;
        enum rank rank = rank_of(rq, g->members[at]);

        if (rank == RANK_GOOD)
            return g->members[at];
        if (rank < best_rank) {
            best_rank = rank;
            best = g->members[at];
        }
    }
    return best;
}

static const struct member *pick_round_robin(struct request *rq)
{
    uint32_t turn = rq->lease->turns ? rq->lease->turns[rq->group->index]++ : 0;

    return pick_from(rq, turn % rq->group->member_count);
}

static uint32_t in_flight(const struct request *rq, const struct member *m)
{
    const struct route_local *local = route_state_local(m->state, rq->worker->id);

    return local ? atomic_load_explicit(&local->in_flight, memory_order_relaxed) : 0;
}

/* Two different ones at random, the less busy of those of equal rank (Mitzenmacher 2001). */
static const struct member *pick_least_request(struct request *rq)
{
    unsigned count = rq->group->member_count;
    uint64_t r = random_next(&rq->worker->random);
    unsigned first = (uint32_t)r % count, further = 1 + (uint32_t)(r >> 32) % (count - 1);
    const struct member *a = pick_from(rq, first);
    const struct member *b = pick_from(rq, (first + further) % count);

    if (!a || a == b || rank_of(rq, a) != rank_of(rq, b))
        return a;
    return in_flight(rq, b) < in_flight(rq, a) ? b : a;
}

/* The member with the highest hash of (client, member): when one comes or goes, only its own clients move
 * (rendezvous hashing, Thaler and Ravishankar 1996). */
static const struct member *pick_ip_hash(struct request *rq)
{
    const struct group *g = rq->group;
    const struct member *best = NULL;
    enum rank best_rank = RANK_TRIED;
    uint64_t best_hash = 0;
    uint8_t ip[16];
    uint64_t client = hash_bytes(ip, address_ip_bytes(&rq->client->peer, ip), 0);

    for (unsigned i = 0; i < g->member_count; i++) {
        const struct member *m = g->members[i];
        enum rank rank = rank_of(rq, m);
        uint64_t hash = hash_u64(client ^ m->state->identity);

        if (rank == RANK_TRIED)
            continue;
        if (!best || rank < best_rank || (rank == best_rank && hash > best_hash)) {
            best = m;
            best_rank = rank;
            best_hash = hash;
        }
    }
    return best;
}

const struct member *pick_member(struct request *rq)
{
    if (rq->group->member_count == 1)
        return pick_from(rq, 0);
    switch (rq->group->lb_policy) {
    case LB_LEAST_REQUEST:
        return pick_least_request(rq);
    case LB_IP_HASH:
        return pick_ip_hash(rq);
    default:
        return pick_round_robin(rq);
    }
}
