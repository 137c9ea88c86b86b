/* registry_context.h - TLS of a listener with one certificate, whose clients may have to show theirs: the registry's.
 *
 * TLS 1.2 and 1.3. Sessions are not resumed: connections last for days, and so every one of them is verified against what is
 * believed now.
 *
 * Thread: control. Connections outlive it. */
#pragma once
#include "base/error.h"
#include "base/transport.h"
#include "tls/tls_config.h"

struct tls_registry;

struct tls_registry_files {
    const char *certificate, *key; /* PEM, the chain behind the certificate */
    const char *client_ca;         /* PEM; not NULL when certificates are asked for */
};

/* ask: for certificates of clients. NULL: err names the file and says what is wrong. */
MUST_USE struct tls_registry *tls_registry_new(const struct tls_registry_files *files, enum tls_client_certificates ask,
                                               struct error *err);
void tls_registry_free(struct tls_registry *registry); /* NULL is fine */

/* Makes t the server's end on a non-blocking descriptor. False: out of memory, the descriptor stays the caller's. */
MUST_USE bool tls_registry_open(const struct tls_registry *registry, struct transport *t, int fd);

/* What a peer's certificate calls it. */
struct tls_names {
    unsigned count;
    char *name[]; /* NUL-terminated, each once: DNS names, then the common name */
};

/* After the handshake; NULL: the peer has shown no certificate. At most 64 names count; one with a NUL in it does not. To be freed
 * by the caller. */
struct tls_names *tls_names_of_peer(const struct transport *t);
void tls_names_free(struct tls_names *names); /* NULL is fine */
