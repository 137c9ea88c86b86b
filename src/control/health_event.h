/* health_event.h - a change of health, told to the log and to the session's subscribers.
 *
 * Thread: control. */
#pragma once
#include "config/route_state.h"

struct health;

/* What holds for the check's route now held not before, when it was `from`. */
void health_announce(const struct health *h, enum route_health from);
