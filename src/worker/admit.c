#include "worker/admit.h"

#include "worker/attempt.h"
#include "worker/bypass.h"
#include "worker/limit.h"
#include "worker/outcome.h"
#include "worker/request.h"

static enum verdict refuse(struct request *rq, const char *error)
{
    rq->error = error;
    rq->keep_alive = false;
    return VERDICT_BAD_REQUEST;
}

/* TRACE and OPTIONS: how far they may go, and that TRACE brings no body, which nobody would expect (RFC 9110 9.3.8). */
static enum verdict admit_diagnosis(struct request *rq)
{
    const struct http_head *head = &rq->head;
    const struct http_field *steps = NULL;
    uint64_t n;

    if (head->method == METHOD_TRACE && head->body != BODY_NONE)
        return refuse(rq, "TRACE with a body");
    for (unsigned i = 0; i < head->field_count; i++) {
        if (head->fields[i].id != FIELD_MAX_FORWARDS)
            continue;
        if (steps)
            return refuse(rq, "more than one Max-Forwards");
        steps = &head->fields[i];
    }
    if (!steps)
        return VERDICT_PASS;
    if (!http_read_length(steps->value, &n))
        return refuse(rq, "invalid Max-Forwards");
    return n ? VERDICT_PASS : VERDICT_LAST_STEP;
}

enum verdict admit_request(struct request *rq)
{
    enum verdict verdict;

    if (rq->head.method == METHOD_CONNECT)
        return VERDICT_NO_CONNECT;
    if (UNLIKELY(rq->separators && rq->group->no_separators))
        return VERDICT_ENCODED_SEPARATORS;
    if (UNLIKELY(http_counts_forwards(rq->head.method))) {
        verdict = admit_diagnosis(rq);
        if (verdict != VERDICT_PASS)
            return verdict;
    }
    rq->bypass = bypass_allows(rq);
    return rq->codec->admit ? rq->codec->admit(rq) : VERDICT_PASS;
}

/* A place for what may become a tunnel; false: the last one was taken meanwhile. */
static bool admit_tunnel(struct request *rq)
{
    const struct member *m = rq->member;

    if (LIKELY(!rq->upgrade.data) || !m->websocket)
        return true;
    rq->placed = route_state_take_tunnel(m->state, m->tunnel_max);
    return rq->placed;
}

/* The same for a place among its requests. */
static bool admit_load(struct request *rq)
{
    const struct member *m = rq->member;

    if (LIKELY(!m->request_max))
        return true;
    rq->seated = route_state_take_request(m->state, m->request_max);
    return rq->seated;
}

enum verdict admit_member(struct request *rq, bool *again)
{
    const struct member *m = rq->member;

    *again = false;
    if (UNLIKELY(rq->head.connect) && (!rq->upgrade.data || !m->websocket))
        return VERDICT_NO_CONNECT;
    if (!m->address_count)
        return VERDICT_NO_ADDRESS;
    if (!limit_admit(rq)) {
        rq->retry_after_s = (uint32_t)((rq->limit.retry_after_ms + 999) / 1000);
        return VERDICT_RATE_LIMITED;
    }
    *again = !admit_tunnel(rq) || !admit_load(rq) || !outcome_admit(rq);
    if (UNLIKELY(*again)) { /* else it would find its own places taken */
        attempt_give_place(rq);
        attempt_give_seat(rq);
    }
    return VERDICT_PASS;
}

/* What is left of the open time of the group's first member to be tried again, in whole seconds. */
static uint32_t circuit_wait_s(const struct group *g, uint64_t now_ms)
{
    uint64_t soonest_ms = UINT64_MAX;
    struct circuit_status status;

    for (unsigned i = 0; i < g->member_count; i++) {
        circuit_read(&g->members[i]->state->circuit, now_ms, &status);
        if (status.until_ms && status.until_ms < soonest_ms)
            soonest_ms = status.until_ms;
    }
    if (soonest_ms == UINT64_MAX)
        return 0;
    return soonest_ms > now_ms ? (uint32_t)((soonest_ms - now_ms + 999) / 1000) : 1;
}

void admit_refused(struct request *rq, enum verdict why, const struct member *whose)
{
    struct route_local *local = route_state_local(whose->state, rq->worker->id);

    if (why == VERDICT_CIRCUIT_OPEN)
        rq->retry_after_s = circuit_wait_s(rq->group, rq->worker->now_ms);
    else if (why == VERDICT_CIRCUIT_PROBING || why == VERDICT_HEALTH_AWAITED || why == VERDICT_MEMBER_FULL)
        rq->retry_after_s = 1;
    if (!local)
        return;
    switch (why) {
    case VERDICT_MAINTENANCE:
        COUNTER_ADD(local->rest->turned_by_maintenance, 1);
        break;
    case VERDICT_CIRCUIT_OPEN:
    case VERDICT_CIRCUIT_PROBING:
        COUNTER_ADD(local->turned_by_circuit, 1);
        break;
    case VERDICT_MEMBER_FULL:
        COUNTER_ADD(local->rest->turned_by_requests, 1);
        break;
    case VERDICT_TUNNELS_FULL:
        COUNTER_ADD(local->rest->turned_by_tunnels, 1);
        break;
    case VERDICT_HEALTH_DOWN:
    case VERDICT_HEALTH_AWAITED:
        COUNTER_ADD(local->rest->turned_by_health, 1);
        break;
    default: /* a drain's are counted as they are turned */
        break;
    }
}
