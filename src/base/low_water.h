/* low_water.h - how many pieces of a store nobody needed lately.
 *
 * A store that keeps pieces for reuse notes its count after each take. Whoever looks ends a window, and is told the fewest that were
 * there at any moment of this window and the one before: so many the store can give up, and would have lacked none. Two windows, so
 * that a look right after a peak does not take away what the peak used a moment ago.
 *
 * Thread: the store's. Time: windows last from look to look. Zeroed is a start. */
#pragma once
#include <stdint.h>

struct low_water {
    uint32_t least;  /* in this window */
    uint32_t before; /* in the one before */
};

/* The store has count pieces left. */
inline void low_water_note(struct low_water *low, uint32_t count)
{
    if (count < low->least)
        low->least = count;
}

/* Ends the window of a store of count pieces; the caller gives up as many as this returns. */
static inline uint32_t low_water_end(struct low_water *low, uint32_t count)
{
    uint32_t unused = low->least < low->before ? low->least : low->before;

    low->before = low->least - unused;
    low->least = count - unused;
    return unused;
}
