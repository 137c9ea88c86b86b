/* request_steps.h - the steps by name, and how a request moves between them; for the files that implement steps.
 *
 * Thread: the worker's. */
#pragma once
#include "worker/request.h"

#define REQUEST_STEP_DECLARE(name) extern const struct request_step request_step_##name;
REQUEST_STEPS(REQUEST_STEP_DECLARE)
#undef REQUEST_STEP_DECLARE

/* Goes to another step; always STEP_MORE. */
enum step request_goto(struct request *rq, const struct request_step *step);

/* The proxy answers itself, or, once a response has started, ends the connection. */
enum step request_refuse(struct request *rq, enum verdict verdict);
