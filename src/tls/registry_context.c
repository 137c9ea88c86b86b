#include "tls/registry_context.h"

#include "base/need.h"
#include "tls/files.h"
#include "tls/tls_transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64 };

struct tls_registry {
    SSL_CTX *ctx;
};

static bool ask_clients(SSL_CTX *ctx, const char *file, enum tls_client_certificates ask, struct error *err)
{
    STACK_OF(X509_NAME) * names;

    if (ask == TLS_CLIENT_CERTIFICATES_OFF)
        return true;
    CHECK(file);
    if (!tls_files_trust(ctx, file, err))
        return false;
    names = SSL_load_client_CA_file(file);
    if (!names)
        return tls_files_refused(err, file, "no certificates of authorities");
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(
        ctx, SSL_VERIFY_PEER | (ask == TLS_CLIENT_CERTIFICATES_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    return true;
}

static bool set_up(SSL_CTX *ctx, const struct tls_registry_files *files, enum tls_client_certificates ask,
                   struct error *err)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    CHECK(SSL_CTX_set_num_tickets(ctx, 0) == 1);
    return tls_files_defaults(ctx, err) && tls_files_present(ctx, files->certificate, files->key, err) && ask_clients(ctx, files->client_ca, ask, err);
}

struct tls_registry *tls_registry_new(const struct tls_registry_files *files, enum tls_client_certificates ask,
                                      struct error *err)
{
    struct tls_registry *registry = need_zeroed(1, sizeof(*registry));

    ASSERT_CONTROL();
    ERR_clear_error();
    registry->ctx = SSL_CTX_new(TLS_server_method());
    if (!registry->ctx)
        (void)tls_files_refused(err, "TLS", "not set up");
    if (registry->ctx && set_up(registry->ctx, files, ask, err))
        return registry;
    tls_registry_free(registry);
    return NULL;
}

void tls_registry_free(struct tls_registry *registry)
{
    ASSERT_CONTROL();
    if (!registry)
        return;
    SSL_CTX_free(registry->ctx);
    free(registry);
}

bool tls_registry_open(const struct tls_registry *registry, struct transport *t, int fd)
{
    return tls_transport_open(t, fd, registry->ctx, TLS_SERVER);
}

/* ---- names */

static void add(struct tls_names *names, const ASN1_STRING *text)
{
    const char *data = (const char *)ASN1_STRING_get0_data(text);
    int len = ASN1_STRING_length(text);
    char *name;

    if (names->count == NAMES_MAX || len <= 0 || memchr(data, '\0', (size_t)len))
        return;
    name = need_copy(slice_of(data, (size_t)len));
    for (unsigned i = 0; i < names->count; i++) {
        if (strcmp(names->name[i], name) == 0) {
            free(name);
            return;
        }
    }
    names->name[names->count++] = name;
}

static void add_dns_names(struct tls_names *names, const X509 *certificate)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);

        if (one->type == GEN_DNS)
            add(names, one->d.dNSName);
    }
    GENERAL_NAMES_free(all);
}

static void add_common_name(struct tls_names *names, const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    if (at >= 0)
        add(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

struct tls_names *tls_names_of_peer(const struct transport *t)
{
    SSL *ssl = tls_transport_ssl(t);
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    struct tls_names *names;

    if (!certificate)
        return NULL;
    CHECK(SSL_get_verify_result(ssl) == X509_V_OK);
    names = need_zeroed(1, sizeof(*names) + NAMES_MAX * sizeof(names->name[0]));
    add_dns_names(names, certificate);
    add_common_name(names, certificate);
    X509_free(certificate);
    ERR_clear_error();
    return names;
}

void tls_names_free(struct tls_names *names)
{
    if (!names)
        return;
    for (unsigned i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names);
}
