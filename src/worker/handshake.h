/* handshake.h - TLS handshakes of a worker's clients: queued when a step of theirs is due, and run at the end of the
 * loop turn, in the time that requests leave.
 *
 * A step that signs takes a millisecond with an RSA key of 2048 bits, as long as fifty requests. So while
 * established connections have work to do, handshakes get a quarter of the time: each turn that served one earns them a
 * third of what it took, and what they take is set against that. In a turn without such work they run, but no longer
 * than a slice, after which the loop looks for events again. So a request waits for one slice at most. When too many are
 * going on, nothing more is accepted from listeners with TLS.
 *
 * A handshake holds a lease, since what it asks for (certificates, ticket keys) belongs to a snapshot.
 *
 * Thread: the worker's. Ownership: a client owns its handshake until that ends. */
#pragma once
#include "base/list.h"
#include "base/transport.h"
#include "tls/server_context.h"

struct client;
struct lease;
struct worker;

struct handshake {
    struct list due; /* in worker.due_handshakes, or alone */
    struct client *client;
    struct lease *lease;
    struct tls_accept accept;
};

void handshakes_init(struct worker *w);

/* Begins one: makes the transport for an accepted descriptor. NULL: out of memory, or there are no certificates; the
 * descriptor stays the caller's. */
MUST_USE struct handshake *handshake_begin(struct client *c, struct worker *w, int fd, struct transport *out);

/* Something can be read or written: its next step is due. */
void handshake_ready(struct handshake *h);

/* It has ended, or its client does. */
void handshake_end(struct handshake **h);

/* At the end of each turn in which some are due: runs them, as far as there is time. */
void handshakes_run(struct worker *w);

/* Do as many go on as may? Once there are fewer the worker's listeners accept again. */
bool handshakes_full(const struct worker *w);

/* The worker stops: those that are going on get a second. */
void handshakes_hurry(struct worker *w);
