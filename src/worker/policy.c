#include "worker/policy.h"

#include "base/need.h"
#include "http/status.h"
#include "worker/attempt.h"
#include "worker/client.h"
#include "worker/forward.h"
#include "worker/source.h"

#include <stdlib.h>

static void source(const void *request, struct address *out)
{
    source_of(request, out);
}

static bool is_secure(const void *request)
{
    return ((const struct request *)request)->client->secure;
}

static bool is_trusted(const void *request)
{
    const struct request *rq = request;

    return forward_is_trusted(rq->lease->snapshot->settings, &rq->client->peer);
}

static const struct hook_ops ops = {source, is_secure, is_trusted};

/* NULL: out of memory. */
static struct hook_exchange *take_exchange(struct worker *w)
{
    struct hook_exchange *ex = spares_take(&w->spare_exchanges);

    if (!ex) {
        ex = malloc(sizeof(*ex));
        if (!ex)
            return NULL;
        ex->answer = ex->page = (struct hook_body){0};
        hook_exchange_clear(ex);
    }
    ex->left = false;
    ex->given = NULL;
    return ex;
}

void policy_release(struct request *rq)
{
    struct hook_exchange *ex = rq->exchange;

    if (LIKELY(!ex))
        return;
    rq->exchange = NULL;
    hook_exchange_clear(ex);
    spares_give(&rq->worker->spare_exchanges, ex);
}

/* What a policy may look at now: the request's place in memory and the group change while it is tried again. */
static void show(struct request *rq)
{
    struct hook_exchange *ex = rq->exchange;
    const struct settings *settings = worker_settings(rq->worker);

    ex->ops = &ops;
    ex->request = rq;
    ex->head = &rq->head;
    ex->host = rq->host;
    ex->args = rq->group->policy_args;
    ex->random = &rq->worker->random;
    ex->now_ms = rq->worker->now_ms;
    ex->budget_ms = settings->script_policy_ms;
    ex->failures_max = settings->rollback_failures;
    ex->failures_window_ms = settings->rollback_window_ms;
}

/* Of the newest generation, whatever configuration the request has: one VM does for all. */
static struct hook_vm *vm_of(struct request *rq)
{
    return hook_vm_get(&rq->worker->hooks, rq->worker->lease->snapshot->bundle);
}

/* Tells control when the failure was one too many. */
static void tell_end(struct worker *w)
{
    struct policy_notice *notice;
    struct hook_end end;

    if (!hook_take_end(w->hooks, &end))
        return;
    notice = need(sizeof(*notice));
    *notice = (struct policy_notice){{.run = w->shared->on_policy}, w->shared->control, end};
    mailbox_post(w->shared->mailbox, &notice->message);
}

/* It is not to be asked again. True: the request must not go on without it. */
static bool leave(struct request *rq, enum hook_result why)
{
    const struct member *first = rq->group->members[0];
    struct route_local *local = route_state_local(first->state, rq->worker->id);

    rq->exchange->left = true;
    if (why == HOOK_FAILED)
        tell_end(rq->worker);
    if (local && why == HOOK_FAILED)
        COUNTER_ADD(local->rest->policy_failures, 1);
    else if (local)
        COUNTER_ADD(local->rest->policy_skipped, 1);
    return hook_is_closed(vm_of(rq), rq->group->policy);
}

/* The answer is counted for the first member and carries its headers. */
static enum verdict answer(struct request *rq, enum verdict verdict)
{
    attempt_target(rq, rq->group->members[0]);
    return verdict;
}

/* The request is tried again: with a newer configuration its group may have another policy, or none, and what the
 * former one decided holds no more. */
static bool was_asked(struct request *rq)
{
    if (!rq->exchange)
        return false;
    if (slice_eq(rq->exchange->policy, rq->group->policy)) {
        rq->exchange->policy = rq->group->policy; /* the configuration before may go */
        return true;
    }
    policy_release(rq);
    return false;
}

enum verdict policy_request(struct request *rq)
{
    enum hook_result result;

    if (was_asked(rq) || !rq->group->has_policy)
        return VERDICT_PASS;
    rq->exchange = take_exchange(rq->worker);
    if (!rq->exchange)
        return answer(rq, VERDICT_NO_MEMORY);
    rq->exchange->policy = rq->group->policy;
    show(rq);
    result = hook_request(vm_of(rq), rq->group->policy, rq->exchange);
    switch (result) {
    case HOOK_PASS:
        break;
    case HOOK_ANSWER:
        return answer(rq, VERDICT_POLICY_ANSWER);
    case HOOK_FAILED:
    case HOOK_OFF:
        hook_exchange_clear(rq->exchange);
        if (leave(rq, result))
            return answer(rq, VERDICT_POLICY_FAILED);
    }
    return VERDICT_PASS;
}

enum policy_end policy_response(struct request *rq, struct response_head *head, struct field_list *fields)
{
    bool own = rq->verdict != VERDICT_PASS;
    struct hook_response res = {
        .fields = fields,
        .state = rq->member ? rq->member->state : NULL,
        .verdict = verdict_table[rq->verdict].name,
        .own = own,
        .status = head->status,
    };
    enum hook_result result;

    if (rq->exchange->left || !rq->group)
        return POLICY_DONE;
    show(rq);
    result = hook_response(vm_of(rq), rq->group->policy, rq->exchange, &res);
    if (result == HOOK_PASS) {
        if (res.status != head->status)
            head->reason = slice_of(NULL, 0);
        head->status = res.status;
        return POLICY_DONE;
    }
    hook_body_free(&rq->exchange->page);
    return leave(rq, result) ? POLICY_REFUSES : POLICY_LEFT;
}
