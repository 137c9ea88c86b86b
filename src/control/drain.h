/* drain.h - a session's drain: who is in it, how far it is, when it has completed.
 *
 * The drain itself is a start and a length in each route state, from which workers compute the
 * share that they turn away; nothing is sent to them. Here is what belongs to the session: routes
 * that are applied while it runs join in, the state of a route that is removed is watched until its
 * last request has ended.
 *
 * A drain has completed when its time is over and the last request in flight at its routes is done.
 * It stays in force until it is cancelled, or its session is superseded or goes.
 *
 * Thread: control. Ownership: hangs on its session; references the states of its routes. */
#pragma once
#include "base/error.h"
#include <stdint.h>

struct session;

struct drain_status {
    uint64_t started_wall_ms;
    uint64_t length_ms;
    uint64_t elapsed_ms;      /* at most length_ms */
    unsigned traffic_percent; /* what still passes, rounded down */
    uint64_t in_flight;       /* requests in progress at its routes */
    bool completed;
};

/* Starts one; length 0: everything is turned away at once. False: "drain already in progress". */
MUST_USE bool drain_start(struct session *s, uint64_t length_ms, struct error *err);

/* False: "no drain in progress". */
MUST_USE bool drain_cancel(struct session *s, struct error *err);

/* False, *out untouched: there is none. */
bool drain_status(const struct session *s, struct drain_status *out);

/* The session's live routes have changed. */
void drain_sync(struct session *s);

/* Ends it without a word; the routes get requests again. */
void drain_end(struct session *s);

/* The session goes, its routes with it. */
void drain_free(struct session *s);
