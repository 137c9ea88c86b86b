/* policy.h - a request and its group's policy (scripts/policies/): when it is asked, and what its word is worth.
 *
 * on_request is asked once, before a member is picked; on_response when a final response head, a backend's or the
 * proxy's own, is put together. A request whose group has no policy has no exchange, and costs nothing here.
 * A policy that fails has no further say about the request: it goes on without, or, when the policy says that
 * nothing passes without it, is refused.
 *
 * Thread: the worker's. Ownership: a request owns its exchange; the answer's body and all texts are in it. */
#pragma once
#include "guard/verdict.h"
#include "script/hook.h"
#include "worker/request.h"

struct response_head;

enum policy_end {
    POLICY_DONE,   /* the head is as the policy wants it */
    POLICY_LEFT,   /* it failed: compose the head anew, without */
    POLICY_REFUSES /* it failed, and nothing passes without it */
};

/* Asks the policy of rq's group, once for each policy that it meets; for a group with one, or a request with an
 * exchange. PASS, POLICY_ANSWER or POLICY_FAILED; not PASS: the request has a member, whose headers the answer
 * carries and where it is counted. */
enum verdict policy_request(struct request *rq);

/* Asks it about a final head whose fields are put together; for a request with an exchange. */
enum policy_end policy_response(struct request *rq, struct response_head *head, struct field_list *fields);

/* Gives the exchange back. */
void policy_release(struct request *rq);

/* Path and query for the backend, without the member's base path. */
static inline struct slice policy_target(const struct request *rq)
{
    bool other = rq->exchange && rq->exchange->target.data && !rq->paging;

    return other ? rq->exchange->target : rq->head.path;
}

/* Host for the backend. */
static inline struct slice policy_host(const struct request *rq, struct slice configured)
{
    bool other = rq->exchange && rq->exchange->to_host.data && !rq->paging;

    return other ? rq->exchange->to_host : configured;
}

/* Whom the rate limit counts; absent: the source's address. */
static inline struct slice policy_rate_key(const struct request *rq)
{
    return rq->exchange ? rq->exchange->rate_key : slice_of(NULL, 0);
}

/* The body of the proxy's answer; absent: the page's. */
static inline struct slice policy_body(const struct request *rq)
{
    const struct hook_body *body;

    if (LIKELY(!rq->exchange))
        return slice_of(NULL, 0);
    body = rq->verdict == VERDICT_POLICY_ANSWER && !rq->exchange->page.data ? &rq->exchange->answer
                                                                            : &rq->exchange->page;
    return slice_of(body->data, body->len);
}
