/* panic.h - groups whose members are all down, and that go on all the same (option panic=fail_open).
 *
 * The first request that a worker sends in panic makes a notice; from then on control looks twice a second whether it is
 * over. Beginning and end are logged and sent as backend_health_changed with a field panic.
 *
 * Thread: control. Ownership: a state that panics is referenced until its panic is over. */
#pragma once
#include "base/mailbox.h"
#include <stdbool.h>

struct control;
struct route_state;

/* Run for every notice of a worker (worker/worker.h); frees it. */
void panic_on_notice(struct message *notice);

/* Is the route in a group of which no member can take a request, but for panic? */
bool panic_holds(const struct control *c, const struct route_state *s);

/* Its session goes, or the route from it. */
void panic_leave(struct route_state *s);
