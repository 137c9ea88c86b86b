/* outcome.h - what an attempt at a member means for the member's circuit.
 *
 * Every attempt is admitted by the circuit and settled once: a success (an answer below 500, complete), a failure (a 5xx, a
 * refused or broken connection, a time-out) or neither (the client went away). A probe counts as soon as its head has come:
 * an answer that goes on for hours must not keep the circuit half-open.
 *
 * A worker that changes a circuit tells control (struct circuit_notice).
 *
 * Thread: the worker's. */
#pragma once
#include "base/check.h"
#include <stdbool.h>

struct request;

/* May the request go to rq->member, as far as its circuit is concerned? False: the last place for a probe was taken
 * meanwhile. */
MUST_USE bool outcome_admit(struct request *rq);

/* Each settles the attempt; nothing happens when it is settled already, or was never admitted. */
void outcome_success(struct request *rq);
void outcome_failure(struct request *rq);
void outcome_release(struct request *rq);

/* The head of an answer has come: settles a 5xx, and a probe. */
void outcome_head(struct request *rq, int status);
