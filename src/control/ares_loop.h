/* ares_loop.h - a c-ares channel driven by a libev loop.
 *
 * Thread: the loop's. Ownership: the caller owns it until ares_loop_free. */
#pragma once
#include "base/sock.h"
#include <ares.h>
#include <ev.h>
#include <stdint.h>

struct ares_loop;

enum { ARES_LOOP_ADDRESSES = 64 }; /* most addresses taken of a name */

/* servers: "127.0.0.1:5353,..." or NULL for the system's. timeout_ms: of the first try for one
 * server; there are two tries, the second longer. NULL: *status is a c-ares status. */
struct ares_loop *ares_loop_new(struct ev_loop *loop, const char *servers, uint64_t timeout_ms,
                                int *status);

/* Ends all queries (ARES_EDESTRUCTION). Not from within a query's callback. NULL is fine. */
void ares_loop_free(struct ares_loop *al);

/* The addresses of a name, of both families, unsorted. done may be called from within this call. */
void ares_loop_query(struct ares_loop *al, const char *name, ares_addrinfo_callback done,
                     void *arg);

/* The addresses of an answer (port 0), sorted, IPv4 before IPv6, each once; of more than
 * there is room for the lowest. *ttl is the shortest of all, seconds, unchanged when there is none.
 * Returns their number. */
unsigned ares_loop_addresses(const struct ares_addrinfo *answer,
                             struct address out[ARES_LOOP_ADDRESSES], int *ttl);

/* What a c-ares status means, in words. Static storage. */
const char *ares_loop_status(int status);

/* The version of c-ares that is linked. Static text; any thread. */
const char *ares_loop_version(void);
