#include "guard/effective.h"

#include "base/check.h"

static const struct effective_rule rules[] = {
    {EFFECTIVE_IN_MAINTENANCE, EFFECTIVE_USE_NONE, VERDICT_MAINTENANCE},
    {EFFECTIVE_DRAIN_TURNED, EFFECTIVE_USE_NONE, VERDICT_DRAINING},
    {EFFECTIVE_AWAITED, EFFECTIVE_USE_NONE, VERDICT_HEALTH_AWAITED},
    {EFFECTIVE_DOWN, EFFECTIVE_USE_NONE, VERDICT_HEALTH_DOWN},
    {EFFECTIVE_OPEN, EFFECTIVE_USE_NONE, VERDICT_CIRCUIT_OPEN},
    {EFFECTIVE_FULL, EFFECTIVE_USE_NONE, VERDICT_CIRCUIT_PROBING},
    {EFFECTIVE_BUSY, EFFECTIVE_USE_NONE, VERDICT_MEMBER_FULL},
    {EFFECTIVE_DISCONNECTED | EFFECTIVE_SUPERSEDED, EFFECTIVE_USE_LAST_RESORT, VERDICT_PASS},
    {EFFECTIVE_PROBE, EFFECTIVE_USE_PROBE, VERDICT_PASS},
    {EFFECTIVE_DEGRADED, EFFECTIVE_USE_SHARED, VERDICT_PASS},
    {EFFECTIVE_SLOW, EFFECTIVE_USE_SHARED, VERDICT_PASS},
    {EFFECTIVE_ANY, EFFECTIVE_USE_FULL, VERDICT_PASS},
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

const struct effective_rule *effective_of(uint32_t facts)
{
    unsigned i = 0;

    while (i < RULES && !(facts & rules[i].facts))
        i++;
    CHECK(i < RULES);
    return &rules[i];
}

const struct effective_rule *effective_rules(unsigned *count)
{
    *count = RULES;
    return rules;
}

const char *effective_fact_name(unsigned bit)
{
    static const char *const names[EFFECTIVE_FACTS] = {
#define FACT_NAME(id, at, name) [at] = (name),
        EFFECTIVE_SESSIONS(FACT_NAME) EFFECTIVE_DRAINS(FACT_NAME)
        EFFECTIVE_MAINTENANCES(FACT_NAME) EFFECTIVE_HEALTHS(FACT_NAME)
        EFFECTIVE_CIRCUITS(FACT_NAME) EFFECTIVE_STARTS(FACT_NAME) EFFECTIVE_LOADS(FACT_NAME)
#undef FACT_NAME
    };

    return bit < EFFECTIVE_FACTS ? names[bit] : NULL;
}

const char *effective_use_name(enum effective_use use)
{
    static const char *const names[] = {
        [EFFECTIVE_USE_FULL] = "full",
        [EFFECTIVE_USE_PROBE] = "probe",
        [EFFECTIVE_USE_SHARED] = "shared",
        [EFFECTIVE_USE_LAST_RESORT] = "last resort",
        [EFFECTIVE_USE_NONE] = "none",
    };

    return names[use];
}
