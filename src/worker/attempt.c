#include "worker/attempt.h"

#include "worker/origin.h"
#include "worker/origin_failure.h"
#include "worker/outcome.h"
#include "worker/pool.h"
#include "worker/request_steps.h"
#include "worker/stats.h"

#include <errno.h>

enum { SUSPECT_MS = 1000 };

void attempt_give_place(struct request *rq)
{
    if (LIKELY(!rq->placed))
        return;
    rq->placed = false;
    route_state_give_tunnel(rq->member->state);
}

void attempt_give_seat(struct request *rq)
{
    if (LIKELY(!rq->seated))
        return;
    rq->seated = false;
    route_state_give_request(rq->member->state);
}

void attempt_target(struct request *rq, const struct member *m)
{
    outcome_release(rq);
    attempt_give_place(rq);
    attempt_give_seat(rq);
    rq->ticket = (struct circuit_ticket){0};
    if (rq->local)
        COUNTER_ADD(rq->local->in_flight, (uint32_t)-1);
    rq->local = m ? route_state_local(m->state, rq->worker->id) : NULL;
    if (rq->local) {
        COUNTER_ADD(rq->local->in_flight, 1);
        stats_expect(rq->worker, rq->local);
    }
    rq->member = m;
    rq->addresses_tried = 0;
    rq->address = m && m->address_count > 1
                      ? (unsigned)(random_next(&rq->worker->random) % m->address_count)
                      : 0;
}

enum step attempt_connect(struct request *rq)
{
    const struct address *to = &rq->member->addresses[rq->address];
    struct pool *pool = pool_get(rq->worker, to, rq->member);
    int error = -ENOMEM;

    if (!pool)
        return attempt_failed(rq, VERDICT_NO_MEMORY, false);
    rq->origin = pool_take(pool, rq, &error);
    if (rq->origin)
        return STEP_MORE;
    pool_put(pool);
    COUNTER_ADD(rq->local->connect_errors, 1);
    return attempt_failed(rq, origin_failure_errno(error), false);
}

/* The member has nothing to do with it. */
static bool is_our_own(enum verdict why)
{
    return why == VERDICT_NO_MEMORY || why == VERDICT_NO_DESCRIPTOR;
}

/* Connecting failed: does the member have another address? */
static bool next_address(struct request *rq, enum verdict why)
{
    if (is_our_own(why) || why == VERDICT_BACKEND_BROKE)
        return false;
    if (++rq->addresses_tried >= rq->member->address_count) {
        rq->local->suspect_until_ms = rq->worker->now_ms + SUSPECT_MS;
        return false;
    }
    rq->address = (rq->address + 1) % rq->member->address_count;
    return true;
}

static bool may_repeat(const struct request *rq, bool reached)
{
    if (!rq->codec->can_repeat(rq))
        return false;
    return !reached || http_method_is_idempotent(rq->head.method);
}

bool attempt_may_repeat(const struct request *rq)
{
    return may_repeat(rq, true) && rq->tries < REQUEST_TRIES_MAX;
}

/* From the body's first byte. Only for a try that will be made: a refused request must not leave a body that was read
 * to be taken for the next request. */
static enum step send_again(struct request *rq, const struct request_step *step)
{
    rq->codec->rewind(rq);
    rq->error = NULL;
    rq->upload_done = rq->head.body == BODY_NONE;
    rq->upload_wants = false;
    return request_goto(rq, step);
}

/* With the newest configuration: the member that failed may have been replaced meanwhile. */
static enum step try_again(struct request *rq)
{
    struct worker *w = rq->worker;

    if (!rq->lease->retired)
        return send_again(rq, &request_step_pick_target);
    rq->failed = rq->local;
    attempt_target(rq, NULL);
    rq->group = NULL;
    if (rq->before)
        worker_lease_release(w, rq->before);
    rq->before = rq->lease;
    rq->lease = worker_lease_take(w);
    return send_again(rq, &request_step_match_route);
}

/* The failure of a probe is the proxy's own doing: it costs no retry. */
static bool may_retry(struct request *rq, bool probe)
{
    if (probe)
        return true;
    if (!rq->retries_left || !retry_budget_take(&rq->worker->retry_budget, rq->worker->now_ms))
        return false;
    rq->retries_left--;
    return true;
}

enum step attempt_failed(struct request *rq, enum verdict why, bool reached)
{
    bool unreached = rq->origin && rq->origin->unreached;
    bool stale = rq->origin && (rq->origin->reused || unreached) && why == VERDICT_BACKEND_BROKE;
    bool probe = rq->ticket.probe;

    if (rq->origin)
        origin_close(&rq->origin, CLOSE_ORIGIN_FAILED);
    rq->response_scan = (struct http_scan){0};
    if (stale && !rq->again && may_repeat(rq, reached)) {
        rq->again = true;
        rq->fresh = !unreached;
        return send_again(rq, &request_step_connect);
    }
    if (!reached && next_address(rq, why) && may_repeat(rq, reached))
        return send_again(rq, &request_step_connect);
    if (!is_our_own(why))
        outcome_failure(rq);
    if (!may_repeat(rq, reached) || rq->tries == REQUEST_TRIES_MAX || !may_retry(rq, probe))
        return request_refuse(rq, why);
    rq->tried[rq->tries++] = rq->member->state;
    rq->failure = why;
    rq->failure_error = rq->error;
    COUNTER_ADD(rq->local->retries, 1);
    return try_again(rq);
}
