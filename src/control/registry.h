/* registry.h - the registry: its listener and the set of its connections.
 *
 * Thread: control. Ownership: struct control has one registry; the registry owns its connections
 * and frees a closed one at the end of the loop turn in which it closed. */
#pragma once
#include "base/check.h"
#include "base/sock.h"
#include "control/connection.h"

struct control;
struct registry;

/* Listens and makes control's registry. 0 or -errno. listen NULL: it has the connections of registry_take alone. */
MUST_USE int registry_open(struct control *c, const struct address *listen);

/* Takes over a connected socket as if it had been accepted. */
struct connection *registry_take(struct control *c, int fd, const struct address *peer);

/* Closes listener and connections at once; sessions are left to model_fini. */
void registry_close(struct control *c);

/* The address that it listens on. */
MUST_USE int registry_address(const struct control *c, struct address *out);

/* SHUTDOWN to every connection; none is accepted any more. */
void registry_shutdown(struct control *c);

/* The answer to the line the connection waits for; goes on with its next line. serial of a
 * connection that is gone: nothing happens. */
void registry_answer(struct control *c, uint64_t serial, struct slice line);

/* The connection with this serial, or NULL. */
struct connection *registry_find(struct control *c, uint64_t serial);

/* Connections that are not closed. */
unsigned registry_count(const struct control *c);

/* Calls fn for every open connection. */
void registry_each(struct control *c, void (*fn)(struct connection *conn, void *arg), void *arg);

/* Of connection.c alone: the connection has lines left for the next loop turn; it is closed and may
 * be freed at this one's end. */
void registry_again(struct registry *r, struct connection *conn);
void registry_retire(struct registry *r, struct connection *conn);
