#include "worker/outcome.h"

#include "base/need.h"
#include "worker/request.h"

#include <stdlib.h>

static void tell(struct request *rq, const struct circuit_change *change)
{
    struct worker *w = rq->worker;
    struct circuit_notice *notice = need(sizeof(*notice));

    if (change->to == CIRCUIT_CLOSED)
        route_state_start_slowly(rq->member->state, w->now_ms);
    *notice = (struct circuit_notice){{.run = w->shared->on_circuit}, w->shared->control,
                                      rq->member->state, *change};
    mailbox_post(w->shared->mailbox, &notice->message);
}

/* Tells control once, until control says that the panic is over. */
static void panic(struct request *rq)
{
    struct route_state *state = rq->member->state;
    struct panic_notice *notice;

    COUNTER_ADD(rq->local->rest->panicked, 1);
    /* Relaxed: who gets the 0 tells; nothing else hangs on it. */
    if (atomic_load_explicit(&state->panicking, memory_order_relaxed) ||
        atomic_exchange_explicit(&state->panicking, 1, memory_order_relaxed))
        return;
    notice = need(sizeof(*notice));
    *notice = (struct panic_notice){{.run = rq->worker->shared->on_panic}, rq->worker->shared->control,
                                    state};
    mailbox_post(rq->worker->shared->mailbox, &notice->message);
}

bool outcome_admit(struct request *rq)
{
    const struct member *m = rq->member;
    struct circuit_change change;
    bool admitted;

    if (rq->panic) {
        panic(rq);
        return true;
    }
    admitted = circuit_admit(&m->state->circuit, &m->circuit, rq->worker->now_ms, &rq->ticket, &change);
    if (change.cause != CIRCUIT_CAUSE_NONE)
        tell(rq, &change);
    if (admitted && rq->ticket.probe)
        COUNTER_ADD(rq->local->rest->probes, 1);
    return admitted;
}

void outcome_success(struct request *rq)
{
    const struct member *m = rq->member;
    uint64_t now_ms = rq->worker->now_ms;
    struct circuit_change change;

    if (!rq->ticket.taken)
        return;
    if (m->counts_rate)
        failure_window_add(&rq->local->rest->window, false, m->circuit.rate_window_ms, now_ms);
    COUNTER_ADD(rq->local->successes, 1);
    if (circuit_success(&m->state->circuit, &m->circuit, &rq->ticket, now_ms, &change))
        tell(rq, &change);
}

/* Is the share of failures over all workers too large? This failure is counted before. */
static bool rate_exceeded(struct request *rq)
{
    const struct member *m = rq->member;
    uint64_t now_ms = rq->worker->now_ms, requests, failures;

    if (!m->counts_rate)
        return false;
    failure_window_add(&rq->local->rest->window, true, m->circuit.rate_window_ms, now_ms);
    route_state_window(m->state, circuit_rate_window_ms(&m->state->circuit, &m->circuit, now_ms), now_ms,
                       &requests, &failures);
    return circuit_rules_rate_exceeded(&m->circuit, requests, failures);
}

void outcome_failure(struct request *rq)
{
    const struct member *m = rq->member;
    struct circuit_change change;
    bool exceeded;

    if (!rq->ticket.taken)
        return;
    exceeded = rate_exceeded(rq);
    /* Relaxed: for people. */
    atomic_store_explicit(&m->state->successes_before, route_state_successes(m->state),
                          memory_order_relaxed);
    if (circuit_failure(&m->state->circuit, &m->circuit, &rq->ticket, exceeded, rq->worker->now_ms,
                        (uint32_t)random_next(&rq->worker->random), &change))
        tell(rq, &change);
}

void outcome_release(struct request *rq)
{
    if (rq->ticket.taken)
        circuit_release(&rq->member->state->circuit, &rq->ticket);
}

void outcome_head(struct request *rq, int status)
{
    if (status >= 500)
        outcome_failure(rq);
    else if (rq->ticket.probe)
        outcome_success(rq);
}
