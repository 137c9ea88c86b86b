#include "guard/pace.h"

enum { MS_PER_S = 1000 };

static uint64_t waited(const struct pace *p, uint64_t now_ms)
{
    return p->waited_ms + (p->turn_ms && now_ms > p->turn_ms ? now_ms - p->turn_ms : 0);
}

void pace_turn(struct pace *p, bool peers, uint64_t now_ms)
{
    uint64_t waited_ms;

    if (peers == (p->turn_ms != 0))
        return;
    waited_ms = waited(p, now_ms);
    p->waited_ms = waited_ms < UINT32_MAX ? (uint32_t)waited_ms : UINT32_MAX;
    p->turn_ms = peers ? now_ms : 0;
}

uint64_t pace_left(const struct pace *p, const struct pace_rules *rules, uint64_t now_ms)
{
    uint64_t so_far = waited(p, now_ms);

    return so_far < rules->window_ms ? rules->window_ms - so_far : 0;
}

void pace_restart(struct pace *p, uint64_t now_ms)
{
    p->waited_ms = 0;
    p->turn_ms = p->turn_ms ? now_ms : 0;
    p->based = false;
}

/* Rates and windows are settings, bounded so that their product fits: 2^40 bytes a second, 2^20 s. */
enum pace_result pace_look(struct pace *p, uint64_t bytes, const struct pace_rules *rules, uint64_t now_ms)
{
    uint64_t moved = bytes < p->bytes ? bytes : bytes - p->bytes;
    bool enough = !p->based || moved >= rules->rate * waited(p, now_ms) / MS_PER_S;

    if (pace_left(p, rules, now_ms))
        return PACE_EARLY;
    *p = (struct pace){.turn_ms = p->turn_ms ? now_ms : 0, .bytes = bytes, .based = true};
    return enough ? PACE_ENOUGH : PACE_SLOW;
}
