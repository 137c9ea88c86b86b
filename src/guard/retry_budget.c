#include "guard/retry_budget.h"

void retry_budget_init(struct retry_budget *b, uint64_t now_ms)
{
    *b = (struct retry_budget){.second = now_ms / 1000};
}

/* Makes now's second the newest slot; what is older than the window is forgotten. */
static unsigned advance(struct retry_budget *b, uint64_t now_ms)
{
    uint64_t now = now_ms / 1000;

    if (now >= b->second + RETRY_BUDGET_SECONDS)
        retry_budget_init(b, now_ms);
    while (b->second < now) {
        unsigned slot = (unsigned)(++b->second % RETRY_BUDGET_SECONDS);

        b->requests -= b->slot_requests[slot];
        b->retries -= b->slot_retries[slot];
        b->slot_requests[slot] = b->slot_retries[slot] = 0;
    }
    return (unsigned)(b->second % RETRY_BUDGET_SECONDS);
}

void retry_budget_request(struct retry_budget *b, uint64_t now_ms)
{
    unsigned slot = advance(b, now_ms);

    b->slot_requests[slot]++;
    b->requests++;
}

bool retry_budget_take(struct retry_budget *b, uint64_t now_ms)
{
    unsigned slot = advance(b, now_ms);
    uint64_t allowed = b->requests * RETRY_BUDGET_PERCENT / 100 +
                       (uint64_t)RETRY_BUDGET_FLOOR_PER_S * RETRY_BUDGET_SECONDS;

    if (b->retries >= allowed)
        return false;
    b->slot_retries[slot]++;
    b->retries++;
    return true;
}
