#include "guard/work_share.h"

enum { PERCENT_US = WORK_SHARE_SLOTS * WORK_SHARE_SLOT_MS * 1000 / 100 };

void work_share_add(struct work_share *s, uint64_t us, uint64_t now_ms)
{
    uint64_t turn = now_ms / WORK_SHARE_SLOT_MS;
    unsigned slot = turn % WORK_SHARE_SLOTS;

    if (s->turn[slot] != turn) {
        s->turn[slot] = turn;
        s->us[slot] = 0;
    }
    s->us[slot] += us;
}

unsigned work_share_percent(const struct work_share *s, uint64_t now_ms)
{
    uint64_t turn = now_ms / WORK_SHARE_SLOT_MS, sum = 0;

    for (unsigned i = 0; i < WORK_SHARE_SLOTS; i++)
        if (s->turn[i] <= turn && turn - s->turn[i] < WORK_SHARE_SLOTS)
            sum += s->us[i];
    return (unsigned)(sum / PERCENT_US);
}
