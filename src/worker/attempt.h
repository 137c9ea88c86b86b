/* attempt.h - one attempt of a request at one member, and what becomes of the request when it fails.
 *
 * Never reached the backend (refused, timed out connecting, a pooled connection that was already closed): the member's
 * next address, else another member. May have been acted on (broke, late, answered with what is no valid HTTP or too large):
 * only if the method is idempotent (RFC 9110 9.2.2) and the body is still at hand. Another try uses the newest
 * configuration. Both within the route's retries and the worker's retry budget.
 *
 * Thread: the worker's. */
#pragma once
#include "worker/request.h"

/* Makes m the request's member: counts it in flight there. NULL: no member any more. */
void attempt_target(struct request *rq, const struct member *m);

/* Gives the place for a tunnel back, if the request holds one. */
void attempt_give_place(struct request *rq);

/* The same for its place among the member's requests. */
void attempt_give_seat(struct request *rq);

/* Gets a connection to the member: pooled or new. STEP_MORE: rq->origin is ready or connecting; STEP_WAIT never;
 * a failure is handled by attempt_failed. */
enum step attempt_connect(struct request *rq);

/* The attempt failed before any byte of a response reached the client. reached: the backend may have got the
 * request. Closes the origin and sends the request to its next step. */
enum step attempt_failed(struct request *rq, enum verdict why, bool reached);

/* May the request be sent to another member, if its backend may have got it already? */
bool attempt_may_repeat(const struct request *rq);
