/* resolve.h - backend names to addresses, by c-ares on the control loop.
 *
 * Each distinct name is resolved once for all routes, again when its TTL ends (at least 1 s, at
 * most 5 min; 30 s for what /etc/hosts says; after a failure with back-off from 1 s to 1 min, the
 * old addresses staying in use). When the set of addresses changes, the model is published.
 * Addresses in URLs need no resolving. Name servers: the resolver_servers setting, or the system's.
 *
 * Thread: control. Ownership: a name lives while somebody holds it. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include "base/sock.h"

struct control;
struct resolved;     /* one name, counted */
struct resolve_wait; /* somebody who waits for one */

MUST_USE int resolve_init(struct control *c); /* 0 or -errno */

/* Whatever is still held or waits is dropped; nobody who waits is called. */
void resolve_fini(struct control *c);

/* The settings changed: asks from now on the servers they name, every name at once. 0 or -errno
 * (then nothing changed). */
MUST_USE int resolve_reload(struct control *c);

/* Holds a name; the first hold starts to resolve it. */
struct resolved *resolve_hold(struct control *c, struct slice host);
void resolve_drop(struct control *c, struct resolved *name);

/* Was there an answer yet, good or bad? */
bool resolve_known(const struct resolved *name);

/* Its addresses (port 0), sorted, IPv4 before IPv6; *count may be 0. Valid until the loop turns. */
const struct address *resolve_addresses(const struct resolved *name, unsigned *count);

/* Calls done(arg) once the name is known or resolve_timeout passed; never from within this call.
 * The caller holds the name until then. The result is for resolve_cancel only, and no longer valid
 * once done was called. */
struct resolve_wait *resolve_wait(struct control *c, struct resolved *name, void (*done)(void *arg),
                                  void *arg);

/* done will not be called. */
void resolve_cancel(struct resolve_wait *w);

/* What the last attempt said: "ok", "no such name", "timed out", ... */
const char *resolve_status(const struct resolved *name);
