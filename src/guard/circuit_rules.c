#include "guard/circuit_rules.h"

enum { DOUBLINGS_MAX = 5 };

_Static_assert(1 << DOUBLINGS_MAX == CIRCUIT_BACKOFF_MAX, "open times double up to this");

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint32_t circuit_rules_probes(const struct circuit_rules *rules)
{
    if (rules->half_open_requests == 0)
        return 1;
    return (uint32_t)lesser(rules->half_open_requests, CIRCUIT_PROBES_MAX);
}

uint64_t circuit_rules_open_ms(const struct circuit_rules *rules, uint32_t reopenings,
                               uint32_t random)
{
    uint64_t first = lesser(rules->timeout_ms, CIRCUIT_TIMEOUT_MAX_MS);
    uint64_t most = first > CIRCUIT_BACKOFF_MAX_MS ? first : CIRCUIT_BACKOFF_MAX_MS;
    uint64_t time;

    if (reopenings == 0)
        return first;
    time = lesser(first << lesser(reopenings, DOUBLINGS_MAX), most);
    /* So that what opened together does not probe together: random as a fraction of 2^32, of a
     * tenth. No overflow: a time has 31 bits. */
    return lesser(time + (time * random / 10 >> 32), CIRCUIT_TIMEOUT_MAX_MS);
}

bool circuit_rules_rate_exceeded(const struct circuit_rules *rules, uint64_t requests,
                                 uint64_t failures)
{
    return rules->rate_percent > 0 && requests > 0 && requests >= rules->rate_min_requests &&
           failures * 100 >= requests * rules->rate_percent;
}
