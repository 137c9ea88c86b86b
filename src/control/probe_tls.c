#include "control/probe_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 255 };

struct probe_tls {
    SSL *ssl;
    const char *error; /* NULL: none so far */
};

/* Made for the first probe. */
static SSL_CTX *shared;

static SSL_CTX *context(void)
{
    ASSERT_CONTROL();
    if (shared)
        return shared;
    shared = SSL_CTX_new(TLS_client_method());
    if (!shared)
        return NULL;
    SSL_CTX_set_verify(shared, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(shared, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Without a store every certificate is reported as not valid. */
    (void)SSL_CTX_set_default_verify_paths(shared);
    return shared;
}

const char *probe_tls_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

void probe_tls_cleanup(void)
{
    ASSERT_CONTROL();
    SSL_CTX_free(shared);
    shared = NULL;
}

static bool set_name(SSL *ssl, struct slice host, bool is_ip)
{
    char name[NAME_MAX_LENGTH + 1];

    if (host.len > NAME_MAX_LENGTH)
        return false;
    memcpy(name, host.data, host.len);
    name[host.len] = '\0';
    if (is_ip)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    return SSL_set_tlsext_host_name(ssl, name) == 1 && SSL_set1_host(ssl, name) == 1;
}

struct probe_tls *probe_tls_new(int fd, struct slice host, bool is_ip)
{
    SSL_CTX *ctx = context();
    struct probe_tls *t = calloc(1, sizeof(*t));

    CHECK(t);
    t->ssl = ctx ? SSL_new(ctx) : NULL;
    if (!t->ssl || !set_name(t->ssl, host, is_ip) || SSL_set_fd(t->ssl, fd) != 1) {
        probe_tls_free(t);
        return NULL;
    }
    SSL_set_connect_state(t->ssl);
    return t;
}

void probe_tls_free(struct probe_tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

/* What a call that did not succeed means. */
static enum probe_io outcome(struct probe_tls *t, int result)
{
    unsigned long code;

    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return PROBE_IO_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return PROBE_IO_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return PROBE_IO_EOF;
    case SSL_ERROR_SSL:
        code = ERR_peek_error();
        if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return PROBE_IO_EOF;
        t->error = ERR_reason_error_string(code);
        return PROBE_IO_ERROR;
    default:
        t->error = "connection broken";
        return PROBE_IO_ERROR;
    }
}

enum probe_io probe_tls_handshake(struct probe_tls *t)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(t->ssl);
    return result == 1 ? PROBE_IO_OK : outcome(t, result);
}

enum probe_io probe_tls_read(struct probe_tls *t, void *to, size_t size, size_t *n)
{
    int result;

    ERR_clear_error();
    result = SSL_read_ex(t->ssl, to, size, n);
    return result == 1 ? PROBE_IO_OK : outcome(t, result);
}

enum probe_io probe_tls_write(struct probe_tls *t, const void *from, size_t size, size_t *n)
{
    int result;

    ERR_clear_error();
    result = SSL_write_ex(t->ssl, from, size, n);
    return result == 1 ? PROBE_IO_OK : outcome(t, result);
}

bool probe_tls_valid(const struct probe_tls *t, const char **why)
{
    long result = SSL_get_verify_result(t->ssl);

    *why = X509_verify_cert_error_string(result);
    return result == X509_V_OK;
}

const char *probe_tls_error(const struct probe_tls *t)
{
    return t->error ? t->error : "unknown error";
}
