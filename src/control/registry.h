/* registry.h - the registry: its listeners, plain and with TLS, and the set of its connections.
 *
 * Thread: control. Ownership: struct control has one registry; the registry owns its connections
 * and frees a closed one at the end of the loop turn in which it closed. */
#pragma once
#include "base/check.h"
#include "base/sock.h"
#include "control/connection.h"

struct control;
struct registry;

/* Makes control's registry, which listens nowhere yet. */
void registry_new(struct control *c);

/* Takes over a connected socket as if it had been accepted. */
struct connection *registry_take(struct control *c, int fd, const struct address *peer);

/* Listens. 0 or -errno. */
MUST_USE int registry_open(struct control *c, const struct address *listen);

/* Listens with TLS; registry_set_tls comes first. 0 or -errno. */
MUST_USE int registry_open_tls(struct control *c, const struct address *listen);

/* The TLS of connections from now on; takes it over. */
void registry_set_tls(struct control *c, struct tls_registry *tls);

/* Closes listener and connections at once; sessions are left to model_fini. */
void registry_close(struct control *c);

/* The address that it listens on, plain or with TLS. 0 or -errno: it does not. */
MUST_USE int registry_address(const struct control *c, bool tls, struct address *out);

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
void registry_each(const struct control *c, void (*fn)(struct connection *conn, void *arg), void *arg);

/* Connections of the address that has most. */
unsigned registry_count_most(const struct control *c);

/* A token was wrong: counted, logged once a second at most, and the next guess from there waits longer. */
void registry_auth_failed(struct connection *conn);

/* How long the connection, which has not said AUTH, has to wait before its next line is run, ms. */
uint64_t registry_auth_wait_ms(const struct connection *conn);

/* Of connection*.c alone. The connection has lines to run; has a step of its handshake to do; has neither any more; is
 * closed and may be freed at this turn's end. */
void registry_again(struct registry *r, struct connection *conn);
void registry_handshake_due(struct registry *r, struct connection *conn);
void registry_not_due(struct registry *r, struct connection *conn);
void registry_retire(struct registry *r, struct connection *conn);
