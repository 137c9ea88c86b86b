/* trace.h - what a worker leaves in its trail, for the report of a crash (base/crash.h).
 *
 * Cheap enough for every request: a few stores each.
 *
 * Thread: the worker's; trace_describe the one that crashes, in its signal handler. */
#pragma once
#include "worker/request.h"

/* A request's head is there. */
void trace_begin(struct request *rq);

/* The proxy answers itself, or ends the connection. */
void trace_refused(struct request *rq);

/* It is over. */
void trace_end(struct request *rq);

/* The worker's crash_trail.describe: the step of the request that ran, its method, its route, what is known of its end. */
void trace_describe(const void *request);
