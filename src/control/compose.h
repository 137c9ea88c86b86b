/* compose.h - from the model to snapshots, by what has changed.
 *
 * Whoever changes what a live route is like for workers - the route, its session's settings, its maintenance, the
 * addresses of its backend - touches it; the next snapshot looks at the routes that were touched and leaves the others as
 * they are. A touch is no more than that: too many cost time, one that is missing leaves workers with what was.
 *
 * Thread: control. Ownership: touched states are referenced. */
#pragma once
#include <stddef.h>

struct composition;
struct config_set;
struct control;
struct resolved;
struct route_state;
struct session;
struct snapshot;

/* Makes c->composition, with nothing in it. */
void compose_init(struct control *c);

/* After the last snapshot was freed. */
void compose_fini(struct control *c);

/* The route of this state, whether it is live, goes or has come. */
void compose_touch(struct control *c, struct route_state *state);

/* All routes of a set; of all sessions' live sets. */
void compose_touch_set(struct control *c, const struct config_set *set);
void compose_touch_all(struct control *c);

/* All live routes whose backend has this name; of a session in maintenance, all, when its page server has it. */
void compose_touch_name(struct control *c, const struct resolved *name);

/* The next snapshot, the caller's: all live routes with the settings in force. */
struct snapshot *compose_snapshot(struct control *c);

/* About what all routes take in it, bytes. */
size_t compose_bytes(const struct control *c);
