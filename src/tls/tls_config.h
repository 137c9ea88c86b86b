/* tls_config.h - what the configuration says about TLS towards clients.
 *
 * Thread: filled and freed by control, read by it. Ownership: owns its texts. */
#pragma once
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

/* A certificate: files in PEM, the answer of OCSP in DER. */
struct tls_pair {
    char *certificate; /* the server's own first, then each issuer of the one before */
    char *key;
    char *ocsp;        /* NULL: none is stapled */
    char **names;      /* in place of the certificate's own, for which it is used; name_count 0: its own */
    unsigned name_count;
    int line;          /* of the configuration file */
};

enum tls_client_certificates {
    TLS_CLIENT_CERTIFICATES_OFF,
    TLS_CLIENT_CERTIFICATES_OPTIONAL, /* one that is sent has to be good */
    TLS_CLIENT_CERTIFICATES_REQUIRED
};

struct tls_config {
    struct tls_pair *pairs; /* in the order of preference for one name and kind of key */
    unsigned pair_count;
    char *default_name; /* whose certificate clients get that name no known host; NULL: the first pair's */
    bool refuse_unknown; /* they get none */
    bool only_13;        /* TLS 1.3 alone, no 1.2 */
    enum tls_client_certificates client_certificates;
    char *client_ca;     /* file in PEM with whom client certificates may come from */
    struct slice subject_header, verify_header; /* fields in which backends are told; owned */
    uint64_t ticket_rotation_ms;
};

/* Frees what it owns. */
void tls_config_fini(struct tls_config *config);
