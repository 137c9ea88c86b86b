/* pacing.h - the deadlines of a request in progress, and whether its client is too slow: it gives no body, or takes no response, for
 * timeouts.body and timeouts.send, or slower than limits.body_rate and limits.send_rate (guard/pace.h).
 *
 * A rate counts while it is the client's turn: all of the body that came was moved and more has to come, or bytes of the response
 * wait for it. A body that the backend takes its time with is not the client's, nor is one that waits for 100 Continue; where the
 * answer has begun the two talk, at a pace of their own; gRPC calls may wait by design; tunnels have deadlines of their own. What
 * the client has taken is what the kernel says was acknowledged, asked when a window is over.
 *
 * Thread: the worker's. */
#pragma once
#include "base/check.h"
#include "guard/verdict.h"
#include "worker/close_reason.h"

struct client;
struct request;

/* Sets the deadlines of both sides. While the client is slow to take or give, the backend is not to blame, and the other way round. */
void pacing_set_deadlines(struct request *rq);

/* The deadline of the request's client has passed. Is the client too slow: *reason to close it, *verdict for an answer? False: its
 * deadline was set anew. */
MUST_USE bool pacing_is_slow(struct request *rq, enum close_reason *reason, enum verdict *verdict);

/* It was not the client's turn after all: a stream that waits for others of its session. */
void pacing_excuse(struct request *rq);
