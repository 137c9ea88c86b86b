#include "guard/health_history.h"

#include "base/check.h"

static uint32_t kept_bits(const struct health_history *h)
{
    return h->count == HEALTH_RESULTS ? UINT32_MAX : (UINT32_C(1) << h->count) - 1;
}

void health_history_add(struct health_history *h, bool passed)
{
    if (h->count > 0 && (h->results & 1) == passed)
        h->run += h->run < UINT32_MAX;
    else
        h->run = 1;
    h->results = h->results << 1 | passed;
    h->changes <<= 1;
    h->count += h->count < HEALTH_RESULTS;
}

void health_history_mark_change(struct health_history *h)
{
    h->changes |= 1;
}

unsigned health_history_changes(const struct health_history *h)
{
    return (unsigned)__builtin_popcount(h->changes & kept_bits(h));
}

bool health_history_passed(const struct health_history *h, unsigned nth)
{
    CHECK(nth < h->count);
    return h->results >> nth & 1;
}

unsigned health_history_passed_run(const struct health_history *h)
{
    return h->results & 1 ? h->run : 0;
}

unsigned health_history_failed_run(const struct health_history *h)
{
    return h->results & 1 ? 0 : h->run;
}

enum health_answer health_history_judge(const struct health_history *h, enum health_answer state)
{
    bool passed = h->results & 1;

    CHECK(h->count > 0);
    if (h->count == 1)
        return passed ? HEALTH_ANSWER_HEALTHY : HEALTH_ANSWER_DOWN;
    if (passed && h->run >= HEALTH_RISE)
        return HEALTH_ANSWER_HEALTHY;
    if (!passed && h->run >= HEALTH_FALL)
        return HEALTH_ANSWER_DOWN;
    return state;
}
