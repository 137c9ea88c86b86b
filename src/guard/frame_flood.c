#include "guard/frame_flood.h"

static const uint64_t WINDOW_US = 10 * 1000 * 1000;

bool frame_flood_add(struct frame_flood *f, uint32_t limit, uint64_t now_us)
{
    if (f->empty_us < now_us)
        f->empty_us = now_us;
    f->empty_us += WINDOW_US / limit;
    return f->empty_us - now_us > WINDOW_US;
}

void frame_flood_earn(struct frame_flood *f, uint32_t limit, uint32_t count)
{
    uint64_t back_us = count * (WINDOW_US / limit);

    f->empty_us -= back_us < f->empty_us ? back_us : f->empty_us;
}
