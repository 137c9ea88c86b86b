/* tls_facts.h - what a handshake has agreed on, as logs and backends are told.
 *
 * Thread: the connection's. Ownership: the owner frees it; its texts are static, its own, or the connection's as long as
 * that is open. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdbool.h>

struct transport;

struct tls_facts {
    const char *version; /* "TLSv1.3"; static */
    const char *suite;   /* "TLS_AES_128_GCM_SHA256"; static */
    struct slice name;   /* that the client asked for; the connection's; absent: none */
    char *subject;       /* of the client's certificate, which was found good (RFC 2253); "": too long to be told; NULL: it sent none */
    bool resumed;
};

/* Of a connection whose handshake is done. NULL: out of memory. */
MUST_USE struct tls_facts *tls_facts_new(const struct transport *t);
void tls_facts_free(struct tls_facts *facts); /* NULL is fine */
