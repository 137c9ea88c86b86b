/* arrival.h - a connection that was just accepted is read at once, and watched only when there is something to wait for.
 *
 * A connection is taken once something has come (sock_defer_accept), with most clients the whole request. Where it is complete, is
 * answered within milliseconds, and the connection ends with it, the loop's epoll need never know the descriptor: one
 * system call and one event less for each connection, and less for the kernel to undo at its end. Who was silent for a second, or
 * is taken as it stands (defer_accept off, SYN cookies), is read once in vain and then watched. Who is answered later is watched
 * after ARRIVAL_MS to twice that, from when on it is heard if the client goes away; who has more to send, at once.
 *
 * Thread: the worker's. Ownership: none; a client is in worker.arrivals by its link, instead of busy_clients. */
#pragma once

struct client;
struct worker;

enum { ARRIVAL_MS = 20 };

void arrivals_init(struct worker *w);

/* The client is unwatched: its first event comes this turn, before the loop waits again. */
void arrival_begin(struct client *c);

/* An event of an unwatched client was handled: watches it, unless it waits for nothing but a backend. */
void arrival_settle(struct client *c);

/* The client is watched from here on. */
void arrival_watch(struct client *c);
