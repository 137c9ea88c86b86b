/* retry_budget.h - how many requests may be tried again.
 *
 * In the last ten seconds, retries may be at most a fifth of requests, plus a floor of ten a second
 * so that little traffic can be retried too (after Finagle's retry budgets). A backend outage so
 * cannot multiply the load on what is left.
 *
 * Thread: one worker's. Time: callers pass now_ms (monotonic). FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stdint.h>
#endif

enum { RETRY_BUDGET_SECONDS = 10, RETRY_BUDGET_PERCENT = 20, RETRY_BUDGET_FLOOR_PER_S = 10 };

struct retry_budget {
    uint64_t second;            /* the newest slot's second */
    uint64_t requests, retries; /* sums over all slots */
    uint32_t slot_requests[RETRY_BUDGET_SECONDS];
    uint32_t slot_retries[RETRY_BUDGET_SECONDS];
};

void retry_budget_init(struct retry_budget *b, uint64_t now_ms);

/* A request came in. */
void retry_budget_request(struct retry_budget *b, uint64_t now_ms);

/* May one more be tried again? Counts it if so. */
MUST_USE bool retry_budget_take(struct retry_budget *b, uint64_t now_ms);
