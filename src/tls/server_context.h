/* server_context.h - how the proxy speaks TLS to clients: certificates by name, versions, ciphers, tickets, client
 * certificates. One immutable set that a snapshot carries; whatever changes makes a new one.
 *
 * A name is looked up at the client's first message: the exact one, else "*." in the place of its first label, else the
 * default, or the handshake is refused (alert unrecognized_name). A name's certificates of several kinds of keys lie side
 * by side; the client's signature algorithms choose.
 *
 * Versions, suites and groups are those of Mozilla's "intermediate" (https://wiki.mozilla.org/Security/Server_Side_TLS,
 * guideline 5.7, read 2026-11), without its DHE suites, which no client needs that can verify a certificate of today,
 * and whose handshakes cost the server most. The client's order of suites decides, as advised there: it knows whether it
 * has AES in hardware.
 *
 * Thread: made, counted and freed by control; workers open connections with it. A set has to live until the handshakes
 * end that were begun with it (the worker's client holds a lease); an established connection needs it no more. */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include "base/transport.h"
#include "tls/tls_config.h"

struct certificate;
struct server_context;
struct tickets;

/* What a connection that is being accepted is asked; embedded in its owner, until the handshake has ended. */
struct tls_accept {
    const struct server_context *context;
    /* May HTTP/2 be offered for this name (lower case; empty: none)? NULL: no. */
    bool (*offer_h2)(struct tls_accept *accept, struct slice name);
    const char *refused; /* why the handshake was, where we did it; static */
};

/* What a set is made of. */
struct server_parts {
    const struct tls_config *config;
    struct certificate *const *certificates; /* referenced, at least one */
    unsigned count;
    struct slice client_ca;  /* text of config->client_ca, where client certificates are asked for */
    struct tickets *tickets; /* referenced */
};

/* NULL: err. One reference is the caller's. */
MUST_USE struct server_context *server_context_new(const struct server_parts *parts, struct error *err);
struct server_context *server_context_ref(struct server_context *s);
void server_context_unref(struct server_context *s); /* NULL is fine */

/* Makes t the server's end of a connection on a non-blocking descriptor. False: out of memory. accept stays the
 * caller's and has to be at its place until the handshake has ended. */
MUST_USE bool server_context_open(struct transport *t, int fd, struct tls_accept *accept);
