/* client_session.h - a client's connection that speaks HTTP/2: the owner of a session whose streams are clients of their own.
 *
 * The connection is a client in phase CLIENT_SESSION. It ends when it was idle for too long, when it breaks the protocol or
 * floods, when the peer ends it, and, after GOAWAY and the last stream, when the proxy stops or a drain wants it elsewhere.
 *
 * Thread: the worker's. Ownership: a session belongs to its client and is freed at the end of the loop turn. */
#pragma once
#include "base/slice.h"
#include <stdbool.h>

struct client;

/* Are these the first bytes of the connection preface, as far as they go? */
bool client_session_is_preface(struct slice received);

enum { CLIENT_SESSION_PREFACE = 24 }; /* bytes of the whole preface */

/* The client speaks HTTP/2, as its preface or ALPN says: takes what was received, the preface included. */
void client_session_start(struct client *c);

/* Events of its connection, and its deadline. */
void client_session_event(struct client *c, int events);
void client_session_late(struct client *c);

/* The worker stops. */
void client_session_stop(struct client *c);

/* Ends one that has no request, and says so. */
bool client_session_make_room(struct client *c);

/* Its client closes: ends the streams and the session. */
void client_session_drop(struct client *c);
