#include "tls/tls_facts.h"

#include "tls/tls_transport.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

enum { SUBJECT_MAX = 1024 };

/* RFC 2253 with what is no ASCII escaped, so that it fits in a header's field. Cut, it could be taken for another. */
static char *subject_of(SSL *ssl)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);
    BIO *bio = certificate ? BIO_new(BIO_s_mem()) : NULL;
    char *text = NULL, *bytes;
    long len;

    if (!bio)
        return NULL;
    if (X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
        len = BIO_get_mem_data(bio, &bytes);
        text = strndup(bytes, len <= SUBJECT_MAX ? (size_t)len : 0);
    }
    BIO_free(bio);
    return text;
}

struct tls_facts *tls_facts_new(const struct transport *t)
{
    struct tls_facts *facts = calloc(1, sizeof(*facts));
    SSL *ssl = tls_transport_ssl(t);

    if (!facts)
        return NULL;
    facts->version = SSL_get_version(ssl);
    facts->suite = SSL_get_cipher_name(ssl);
    facts->name = slice_str(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    facts->resumed = SSL_session_reused(ssl) == 1;
    if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE)
        facts->subject = subject_of(ssl);
    return facts;
}

void tls_facts_free(struct tls_facts *facts)
{
    if (!facts)
        return;
    free(facts->subject);
    free(facts);
}
