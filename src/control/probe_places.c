#include "control/probe_places.h"

#include "base/check.h"

enum { MOST_AT_FIRST = 2 };

void probe_places_init(struct probe_places *places)
{
    *places = (struct probe_places){.most = MOST_AT_FIRST};
    for (unsigned i = 0; i < PROBE_LANES; i++)
        list_init(&places->lanes[i].waiting);
}

static void place(struct probe_places *places, struct probe_turn *turn)
{
    places->lanes[turn->lane].running++;
    turn->placed = true;
    turn->run(turn);
}

void probe_places_take(struct probe_places *places, struct probe_turn *turn, enum probe_lane lane,
                       void (*run)(struct probe_turn *turn))
{
    ASSERT_CONTROL();
    list_init(&turn->link);
    turn->lane = lane;
    turn->placed = false;
    turn->run = run;
    if (places->lanes[lane].running < places->most) {
        place(places, turn);
        return;
    }
    places->waited++;
    list_push_back(&places->lanes[lane].waiting, &turn->link);
}

void probe_places_leave(struct probe_places *places, struct probe_turn *turn)
{
    struct list *waiting = &places->lanes[turn->lane].waiting;

    ASSERT_CONTROL();
    list_remove(&turn->link);
    if (!turn->placed)
        return;
    CHECK(places->lanes[turn->lane].running > 0);
    places->lanes[turn->lane].running--;
    turn->placed = false;
    if (list_empty(waiting) || places->lanes[turn->lane].running >= places->most)
        return;
    turn = CONTAINER_OF(waiting->next, struct probe_turn, link);
    list_remove(&turn->link);
    place(places, turn);
}

unsigned probe_places_used(const struct probe_places *places)
{
    unsigned used = 0;

    for (unsigned i = 0; i < PROBE_LANES; i++)
        used += places->lanes[i].running;
    return used;
}
