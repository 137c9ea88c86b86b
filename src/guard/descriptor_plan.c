#include "guard/descriptor_plan.h"

enum {
    OTHER = 64,      /* of control, beside the registry's and probes': files, name servers */
    PROBES_MOST = 1024,
    PROBES_PART = 2, /* at most this part of the reserve */
    RESERVE_MIN = 8,
    RESERVE_PART = 4, /* at most this part of all */
    OTHER_PART = 8    /* of a reserve that is too small for all: this part is neither the registry's nor probes' */
};

static uint64_t reserve_of(uint64_t limit, uint64_t registry)
{
    uint64_t reserve = registry + OTHER + PROBES_MOST;

    if (reserve > limit / RESERVE_PART)
        reserve = limit / RESERVE_PART;
    return reserve < RESERVE_MIN ? RESERVE_MIN : reserve;
}

/* What the registry could have of the largest reserve, as its limit may be raised later. */
static uint64_t registry_of(uint64_t limit, const struct descriptor_plan *plan)
{
    uint64_t most = limit / RESERVE_PART > plan->reserve ? limit / RESERVE_PART : plan->reserve;
    uint64_t other = most / OTHER_PART < OTHER ? most / OTHER_PART : OTHER;

    return most - plan->probes - other;
}

void descriptor_plan_make(struct descriptor_plan *plan, uint64_t limit, uint64_t open, uint64_t registry)
{
    uint64_t reserve = reserve_of(limit, registry);
    uint64_t workers = limit > open + reserve + 2 ? limit - open - reserve : 2;

    *plan = (struct descriptor_plan){.reserve = reserve, .workers = workers, .clients = workers / 2};
    plan->probes = reserve / PROBES_PART < PROBES_MOST ? reserve / PROBES_PART : PROBES_MOST;
    plan->registry = registry_of(limit, plan);
}

uint64_t descriptor_plan_needs(uint64_t open, uint64_t registry, uint64_t clients)
{
    return open + registry + OTHER + 2 * clients;
}
