#include "tls/files.h"

#include "base/file_error.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

/* Mozilla's intermediate list, without what needs Diffie-Hellman parameters of our own. */
static const char ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                              "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/* Never asks a terminal. */
static int no_password(char *to, int size, int writing, void *arg)
{
    (void)to;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

bool tls_files_defaults(SSL_CTX *ctx, struct error *err)
{
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    return (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ctx, ciphers) == 1) ||
           tls_files_refused(err, "TLS", "not set up");
}

bool tls_files_refused(struct error *err, const char *file, const char *what)
{
    unsigned long first = ERR_peek_error(), code = ERR_SYSTEM_ERROR(first) ? first : ERR_peek_last_error();
    char text[FILE_ERROR_SIZE];
    const char *why = ERR_SYSTEM_ERROR(code) ? file_error(file, ERR_GET_REASON(code), text) : ERR_reason_error_string(code);

    error_set(err, "%s: %s: %s", file, what, why ? why : "not understood");
    ERR_clear_error();
    return false;
}

bool tls_files_trust(SSL_CTX *ctx, const char *file, struct error *err)
{
    if (!file)
        return SSL_CTX_set_default_verify_paths(ctx) == 1 ||
               tls_files_refused(err, "system store", "not readable");
    return SSL_CTX_load_verify_file(ctx, file) == 1 ||
           tls_files_refused(err, file, "no certificates of authorities");
}

void tls_files_store(const char *store[2])
{
    const char *file = getenv(X509_get_default_cert_file_env()), *directory = getenv(X509_get_default_cert_dir_env());

    store[0] = file ? file : X509_get_default_cert_file();
    store[1] = directory ? directory : X509_get_default_cert_dir();
}

bool tls_files_present(SSL_CTX *ctx, const char *certificate, const char *key, struct error *err)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return tls_files_refused(err, certificate, "no certificate");
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return tls_files_refused(err, key, "no private key of the certificate");
    return true;
}
