#include "base/spares.h"

#include <stdlib.h>

struct spare {
    struct spare *next;
};

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

void *spares_take(struct spares *s)
{
    struct spare *spare;

    if (!s->first)
        return NULL;
    spare = pop(s);
    low_water_note(&s->low, s->kept);
    return spare;
}

void spares_give(struct spares *s, void *piece)
{
    struct spare *spare = piece;

    if (s->kept >= s->most) {
        free(piece);
        return;
    }
    spare->next = s->first;
    s->first = spare;
    s->kept++;
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
