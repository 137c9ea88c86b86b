/* client_context.h - how TLS is spoken to backends: what is trusted, what we show of ourselves.
 *
 * A context is made from files, which are read at once (but for the system's directory of certificates, where OpenSSL
 * opens the one that it looks for), and immutable. TLS 1.2 and 1.3, the cipher suites of Mozilla's intermediate
 * list. With verification a certificate has to lead to what is trusted and be for the name that was asked for, or the address.
 *
 * Thread: made, referenced and freed by control; tls_client_open may be called by any thread that somebody keeps it for.
 * Connections outlive it. */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include "base/transport.h"
#include <stdint.h>

struct tls_client;
struct tls_sessions;

enum tls_verify {
    TLS_VERIFY,        /* a certificate that is not valid ends the handshake */
    TLS_VERIFY_REPORT, /* tls_transport_verified tells, the handshake goes on */
    TLS_VERIFY_NOTHING /* trusts nobody: every handshake ends; stands for a context that could not be made */
};

struct tls_client_files {
    const char *authorities;       /* PEM: who is trusted; NULL: the system's store */
    const char *certificate, *key; /* PEM, our own; NULL: none */
};

/* alpn: protocols to offer, as on the wire ("\x08http/1.1"); empty: none. NULL: err names the file and says what is wrong. */
struct tls_client *tls_client_new(const struct tls_client_files *files, enum tls_verify verify, struct slice alpn,
                                  struct error *err);
struct tls_client *tls_client_ref(struct tls_client *client);
void tls_client_unref(struct tls_client *client); /* NULL is fine */

/* Names it among all that were ever made: connections and sessions of one must not be used for another. */
uint64_t tls_client_serial(const struct tls_client *client);

/* Whom a connection is for. */
struct tls_peer {
    const char *name; /* for SNI and verification, NUL-terminated; or an address */
    bool is_ip;       /* no SNI, the certificate has to have the address */
};

/* Makes t a client's end on a non-blocking descriptor, connected or connecting. sessions: where one is taken from and new ones
 * are put, for as long as the connection is open; NULL: no resumption. False: out of memory or no such name;
 * the descriptor stays the caller's. */
MUST_USE bool tls_client_open(const struct tls_client *client, struct transport *t, int fd, const struct tls_peer *peer,
                              struct tls_sessions *sessions);

/* "OpenSSL 3.0.22 ...", as linked. Static text; any thread. */
const char *tls_version(void);
