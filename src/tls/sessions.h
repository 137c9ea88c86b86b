/* sessions.h - TLS sessions of one backend, for its next connections.
 *
 * A ticket of TLS 1.3 is used once, so that nobody can tell by it that two connections are the same client's; sessions of
 * TLS 1.2 are used again. The newest comes first; the oldest makes way.
 *
 * Thread: one at a time, the owner's. Ownership: holds a reference on each session. */
#pragma once
#include "base/check.h"
#include <stdbool.h>

struct ssl_session_st;

enum { TLS_SESSIONS_KEPT = 8 };

struct tls_sessions {
    struct ssl_session_st *session[TLS_SESSIONS_KEPT]; /* oldest first */
    unsigned count;
};

/* Takes the reference over. */
void tls_sessions_put(struct tls_sessions *kept, struct ssl_session_st *session);

/* The newest, with a reference for the caller; NULL: there is none. */
MUST_USE struct ssl_session_st *tls_sessions_take(struct tls_sessions *kept);

/* Lets go of all of them. */
void tls_sessions_clear(struct tls_sessions *kept);
