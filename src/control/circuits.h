/* circuits.h - the circuits of live routes as control sees them: what becomes known of their changes.
 *
 * Workers change circuits by themselves and send a notice of each change; health checks and commands
 * change them from here. Either way every change is logged and sent as the event circuit_changed once,
 * and an open circuit gets a timer, so that it is half-open in time without traffic too.
 *
 * Thread: control. Ownership: nothing is kept that outlives a route state. */
#pragma once
#include "base/mailbox.h"

struct control;
struct route_state;

/* Run for every notice of a worker (worker/worker.h); frees it. */
void circuits_on_notice(struct message *notice);

/* The route's session goes, or the route from it: no more events, no timer. */
void circuits_leave(struct route_state *s);

/* Health says down: open for as long as that is so. */
void circuits_hold(struct control *c, struct route_state *s);

/* Health says it recovered: half-open, if it was held. */
void circuits_unhold(struct control *c, struct route_state *s);

/* CIRCUIT_BREAKER_RESET: closed, counts from zero. Nothing happens to one that health holds. */
void circuits_reset(struct control *c, struct route_state *s);
