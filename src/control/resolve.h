/* resolve.h - backend names to addresses, by c-ares on the control loop.
 *
 * Each distinct name is resolved once for all routes, again when its TTL ends (at least 1 s, at most 5 min;
 * after a failure with back-off, the old addresses staying in use). When the set of addresses changes, the model
 * is published. Addresses in URLs need no resolving. Reads /etc/hosts. Name servers: the system's or the
 * resolver_servers setting.
 *
 * Thread: control. Ownership: a name lives while somebody holds it. */
#pragma once
#include "base/slice.h"
#include "base/sock.h"

struct control;
struct resolved; /* one name, counted */

int resolve_init(struct control *c); /* 0 or -errno */
void resolve_fini(struct control *c);

/* Holds a name; the first hold starts to resolve it. */
struct resolved *resolve_hold(struct control *c, struct slice host);
void resolve_drop(struct control *c, struct resolved *name);

/* Was there an answer yet, good or bad? */
bool resolve_known(const struct resolved *name);

/* Its addresses (port 0), sorted; *count may be 0. Valid until the loop turns. */
const struct address *resolve_addresses(const struct resolved *name, unsigned *count);

/* Calls done(arg) once the name is known or resolve_timeout passed; never from within this call. */
void resolve_wait(struct control *c, struct resolved *name, void (*done)(void *arg), void *arg);

/* What the last attempt said: "ok", "no such name", "timed out", ... */
const char *resolve_status(const struct resolved *name);
