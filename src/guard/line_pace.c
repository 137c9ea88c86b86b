#include "guard/line_pace.h"

static const uint64_t SECOND_US = 1000 * 1000;

static uint64_t time_of(const struct line_pace_rules *rules, uint64_t lines)
{
    return lines * SECOND_US / rules->rate;
}

uint64_t line_pace_wait_us(const struct line_pace *p, const struct line_pace_rules *rules, uint64_t now_us)
{
    uint64_t ahead_us = p->empty_us > now_us ? p->empty_us - now_us : 0;
    uint64_t most_us = time_of(rules, rules->burst - 1);

    return ahead_us > most_us ? ahead_us - most_us : 0;
}

void line_pace_charge(struct line_pace *p, const struct line_pace_rules *rules, uint64_t cost, uint64_t now_us)
{
    uint64_t most_us = time_of(rules, rules->burst);

    if (cost > rules->burst)
        cost = rules->burst;
    /* Rules may have been changed: nobody owes more than a burst. */
    if (p->empty_us < now_us)
        p->empty_us = now_us;
    else if (p->empty_us - now_us > most_us)
        p->empty_us = now_us + most_us;
    p->empty_us += time_of(rules, cost);
}
