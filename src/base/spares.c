#include "base/spares.h"

/* base/low_water.h has no source of its own */
extern inline void low_water_note(struct low_water *low, uint32_t count);
extern inline void *spares_take(struct spares *s);
extern inline void spares_give(struct spares *s, void *piece);

void spares_init(struct spares *s, uint32_t most)
{
    *s = (struct spares){.most = most};
}

/* The first one off the list. */
static struct spare *pop(struct spares *s)
{
    struct spare *spare = s->first;

    s->first = spare->next;
    s->kept--;
    return spare;
}

uint32_t spares_trim(struct spares *s)
{
    uint32_t unused = low_water_end(&s->low, s->kept);

    for (uint32_t i = 0; i < unused; i++)
        free(pop(s));
    return unused;
}

void spares_fini(struct spares *s)
{
    while (s->first)
        free(pop(s));
    s->low = (struct low_water){0};
}
