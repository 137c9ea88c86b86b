/* certificate.h - one certificate with its chain and key, read from files and checked.
 *
 * What can be known to fail is refused when the files are read, with a sentence that names the file and what to mend: an
 * unreadable file, a key that does not belong to the certificate, a chain out of order, a name nobody could ask for.
 * Being out of date is the caller's to judge.
 *
 * Thread: made, counted and freed by control; constant, so that workers' SSL contexts may refer to it. */
#pragma once
#include "base/check.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/slice.h"
#include "tls/tls_config.h"
#include <stdint.h>

struct evp_pkey_st;
struct stack_st_X509;
struct x509_st;

/* Kinds of keys; one name may have a certificate of each. */
enum certificate_kind { CERTIFICATE_ECDSA, CERTIFICATE_RSA, CERTIFICATE_ED25519, CERTIFICATE_KINDS };

#define CERTIFICATE_UNTOLD INT32_MAX

struct certificate {
    unsigned refs; /* control only */
    int told_days; /* control only: the fewest days left of which was told, CERTIFICATE_UNTOLD: none */
    bool renewed;  /* control only: took another one's place, and that is still to be told */
    char *file;    /* of the certificate, as configured */
    enum certificate_kind kind;
    int64_t not_before_s, not_after_s; /* wall clock */
    char **names;                      /* lower case, "*.example.com" among them */
    unsigned name_count;
    unsigned char *ocsp; /* DER, or NULL */
    size_t ocsp_len;
    int64_t ocsp_until_s;                      /* stapled as long as that is to come */
    uint8_t digest[DIGEST_SHA256_SIZE];        /* of all files: tells whether anything changed */
    char fingerprint[2 * DIGEST_SHA256_SIZE + 1]; /* SHA-256 of the certificate, in hexadecimal digits */
    struct x509_st *leaf;
    struct stack_st_X509 *chain; /* without the leaf */
    struct evp_pkey_st *key;
};

/* NULL: *err says why. One reference is the caller's. */
MUST_USE struct certificate *certificate_load(const struct tls_pair *pair, struct error *err);

struct certificate *certificate_ref(struct certificate *c);
void certificate_unref(struct certificate *c); /* NULL is fine */

/* "ECDSA", "RSA", "Ed25519" */
const char *certificate_kind_text(enum certificate_kind kind);

/* Writes a host name in lower case without a dot at its end, NUL-terminated, to out (at least 256 bytes). False: no
 * name that a certificate could have. wildcard: "*.example.com" is one. */
bool certificate_name(struct slice text, bool wildcard, char *out);
