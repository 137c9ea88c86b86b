/* tickets.h - the keys of session tickets: one set for all workers, so that a session from one resumes on another.
 *
 * The newest key makes tickets, all of them open tickets. A rotation makes a new set with a new key in front and forgets
 * the oldest; sets are immutable, and reach workers as certificates do. A process begins with a key of its own: its
 * tickets mean nothing to the next one.
 *
 * Thread: made, counted and freed by control; workers read. */
#pragma once
#include "base/check.h"
#include <stdint.h>

struct evp_cipher_ctx_st;
struct evp_mac_ctx_st;
struct tickets;

enum { TICKET_KEYS = 3 };

/* A set with a new key in front of the newest of before (NULL: none). One reference is the caller's. */
struct tickets *tickets_rotate(const struct tickets *before);

struct tickets *tickets_ref(struct tickets *t);
void tickets_unref(struct tickets *t); /* NULL is fine; the last one wipes the keys */

/* For OpenSSL: sets up cipher and mac to make a ticket (writes its name and iv) or to open one. -1: failed, 0: no such
 * key, 1: done, 2: done, and a newer key should make the next one. */
int tickets_use(const struct tickets *t, unsigned char name[16], unsigned char *iv,
                struct evp_cipher_ctx_st *cipher, struct evp_mac_ctx_st *mac, int making);
