/* probe_places.h - how many probes may be under way at a time: each has a descriptor, which somebody else then lacks.
 *
 * A backend that accepts and says nothing holds every probe of it until the time-out, and thousands of routes or sessions may
 * ask for one. What finds no place waits for its turn, first come first served. There is a lane for health checks and one for
 * what commands ask for, so that neither keeps the other waiting.
 *
 * Thread: control. Ownership: of struct control; turns belong to who waits. */
#pragma once
#include "base/list.h"
#include <stdbool.h>
#include <stdint.h>

enum probe_lane { PROBE_LANE_HEALTH, PROBE_LANE_COMMANDS, PROBE_LANES };

/* One probe's, from probe_places_take to probe_places_leave. */
struct probe_turn {
    struct list link; /* while it waits */
    enum probe_lane lane;
    bool placed;
    void (*run)(struct probe_turn *turn);
};

struct probe_places {
    unsigned most;   /* of a lane, at least 1 */
    uint64_t waited; /* probes that found no place at once */
    struct {
        unsigned running;
        struct list waiting; /* struct probe_turn */
    } lanes[PROBE_LANES];
};

/* most: a few, until it is known how many there may be. */
void probe_places_init(struct probe_places *places);

/* turn->run is called once, now or when somebody leaves; it may not leave by itself. */
void probe_places_take(struct probe_places *places, struct probe_turn *turn, enum probe_lane lane,
                       void (*run)(struct probe_turn *turn));

/* Gives the place to the next one, or stops waiting. */
void probe_places_leave(struct probe_places *places, struct probe_turn *turn);

/* Under way now, in both lanes. */
unsigned probe_places_used(const struct probe_places *places);
