#include "tls/server_context.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/need.h"
#include "tls/certificate.h"
#include "tls/client_hello.h"
#include "tls/files.h"
#include "tls/pem_file.h"
#include "tls/server_names.h"
#include "tls/tickets.h"
#include "tls/tls_transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

static const char groups[] = "X25519:P-256:P-384";

struct server_context {
    unsigned refs; /* control only */
    struct map *names;   /* to struct server_choice, whose context is an SSL_CTX */
    struct map *by_choice; /* the certificates of a choice to its SSL_CTX */
    struct server_choice fallback; /* of clients that name no known host */
    bool refuse_unknown;
    struct certificate **certificates; /* referenced */
    unsigned count;
    struct tickets *tickets; /* referenced */
    const struct tls_config *config; /* only while it is made */
    uint8_t audience[DIGEST_SHA256_SIZE]; /* sessions resume where client certificates are judged alike */
    STACK_OF(X509) *client_ca;            /* NULL: no client certificates */
};

/* ---- what OpenSSL asks during a handshake; all of it comes to the context that the connection was opened with */

static const struct tls_accept *accept_of(SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

static int refuse(SSL *ssl, int *alert)
{
    ((struct tls_accept *)SSL_get_app_data(ssl))->refused = "no certificate for the name that was asked for";
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    const struct server_context *s = accept_of(ssl)->context;
    const struct server_choice *choice;
    char name[CLIENT_HELLO_NAME_SIZE];
    struct slice asked = client_hello_name(ssl, name);

    (void)arg;
    choice = asked.len ? server_names_find(s->names, asked) : NULL;
    if (!choice && s->refuse_unknown)
        return refuse(ssl, alert);
    if (!choice)
        choice = &s->fallback;
    if (SSL_get_SSL_CTX(ssl) != choice->context && !SSL_set_SSL_CTX(ssl, choice->context)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* HTTP/2 if it may be offered, else HTTP/1.1; the client's order does not count. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                   unsigned in_len, void *arg)
{
    static const unsigned char protocols[] = "\x02h2\x08http/1.1";
    struct tls_accept *accept = SSL_get_app_data(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    unsigned skip = accept->offer_h2 && accept->offer_h2(accept, slice_str(name ? name : "")) ? 0 : 3;

    (void)arg;
    if (SSL_select_next_proto((unsigned char **)out, out_len, protocols + skip, sizeof(protocols) - 1 - skip, in,
                              in_len) == OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_OK;
    accept->refused = "no protocol in common";
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol (RFC 7301 3.2) */
}

/* With TLS 1.3 a client uses each ticket once (RFC 8446 C.4): a resumption gives it the next one. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                     int making)
{
    int used = tickets_use(accept_of(ssl)->context->tickets, name, iv, cipher, mac, making);

    return !making && used == 1 && SSL_version(ssl) == TLS1_3_VERSION ? 2 : used;
}

/* A session must not let in a client whose certificate has come to its end: then the whole handshake judges it. */
static SSL_TICKET_RETURN on_session(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len,
                                    SSL_TICKET_STATUS status, void *arg)
{
    X509 *client = session ? SSL_SESSION_get0_peer(session) : NULL;

    (void)ssl;
    (void)name;
    (void)len;
    (void)arg;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (client && X509_cmp_current_time(X509_get0_notAfter(client)) <= 0)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* The client would like the answer of OCSP, and the certificate is chosen. */
static int on_status(SSL *ssl, void *arg)
{
    const struct server_context *s = accept_of(ssl)->context;
    const X509 *chosen = SSL_get_certificate(ssl);
    const struct certificate *c = NULL;
    unsigned char *copy;

    (void)arg;
    for (unsigned i = 0; i < s->count && !c; i++)
        if (s->certificates[i]->leaf == chosen)
            c = s->certificates[i];
    if (!c || !c->ocsp || c->ocsp_until_s <= (int64_t)(clock_wall_ms() / 1000))
        return SSL_TLSEXT_ERR_NOACK;
    copy = OPENSSL_memdup(c->ocsp, c->ocsp_len);
    if (!copy || SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)c->ocsp_len) != 1) {
        OPENSSL_free(copy);
        return SSL_TLSEXT_ERR_NOACK;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* ---- making */

static bool failed(struct error *err, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    error_set(err, "%s: %s", what, reason ? reason : "OpenSSL refused");
    ERR_clear_error();
    return false;
}

static bool set_callbacks(SSL_CTX *ctx)
{
    SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
    SSL_CTX_set_tlsext_status_cb(ctx, on_status);
    return SSL_CTX_set_session_ticket_cb(ctx, NULL, on_session, NULL) == 1;
}

static bool set_parameters(const struct server_context *s, SSL_CTX *ctx, struct error *err)
{
    uint64_t kept_ms = s->config->ticket_rotation_ms * (TICKET_KEYS - 1);

    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ctx, (long)(kept_ms / 1000));
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    return tls_files_defaults(ctx, err) && (!s->config->only_13 || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1) &&
           SSL_CTX_set1_groups_list(ctx, groups) == 1 &&
           SSL_CTX_set_session_id_context(ctx, s->audience, sizeof(s->audience)) == 1;
}

static bool set_client_ca(const struct server_context *s, SSL_CTX *ctx)
{
    int mode = SSL_VERIFY_PEER;

    if (!s->client_ca)
        return true;
    if (s->config->client_certificates == TLS_CLIENT_CERTIFICATES_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, mode, NULL);
    for (int i = 0; i < sk_X509_num(s->client_ca); i++) {
        X509 *ca = sk_X509_value(s->client_ca, i);

        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) != 1 || SSL_CTX_add_client_CA(ctx, ca) != 1)
            return false;
    }
    return true;
}

static bool set_certificate(SSL_CTX *ctx, const struct certificate *c)
{
    return SSL_CTX_use_cert_and_key(ctx, c->leaf, c->key, c->chain, 1) == 1;
}

/* The context for the certificates of a choice; NULL: err. */
static SSL_CTX *make_context(const struct server_context *s, const struct server_choice *choice, struct error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    bool ok;

    ok = (ctx && set_callbacks(ctx) && set_parameters(s, ctx, err) && set_client_ca(s, ctx)) || failed(err, "tls");
    for (int kind = 0; ok && kind < CERTIFICATE_KINDS; kind++)
        if (choice->of[kind])
            ok = set_certificate(ctx, choice->of[kind]) || failed(err, choice->of[kind]->file);
    if (ok)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

/* Names with the same certificates share a context. */
static bool give_context(struct server_context *s, struct server_choice *choice, struct error *err)
{
    struct slice key = slice_of((const char *)choice->of, sizeof(choice->of));

    choice->context = map_get(s->by_choice, key);
    if (choice->context)
        return true;
    choice->context = make_context(s, choice, err);
    if (!choice->context)
        return false;
    (void)map_set(s->by_choice, key, choice->context);
    return true;
}

static bool make_contexts(struct server_context *s, struct error *err)
{
    size_t cursor = 0;
    void *value;

    while (map_next(s->names, &cursor, NULL, &value))
        if (!give_context(s, value, err))
            return false;
    return give_context(s, &s->fallback, err);
}

/* Of the name in the configuration, else whatever the first certificate's first name has. */
static bool choose_fallback(struct server_context *s, struct error *err)
{
    const struct certificate *first = s->certificates[0];
    const char *wanted = s->config->default_name;
    const char *name = wanted ? wanted : first->name_count ? first->names[0] : NULL;
    const struct server_choice *choice = NULL;
    char lower[CLIENT_HELLO_NAME_SIZE];

    if (name && certificate_name(slice_str(name), true, lower))
        choice = server_names_find(s->names, slice_str(lower));
    if (wanted && !choice)
        return error_set(err, "tls.default: no certificate is for %.100s", wanted);
    if (choice)
        s->fallback = *choice;
    else
        s->fallback.of[first->kind] = s->certificates[0];
    return true;
}

static bool take_client_ca(struct server_context *s, struct slice text, struct error *err)
{
    const struct tls_config *config = s->config;
    uint8_t bytes[DIGEST_SHA256_SIZE + 1] = {(uint8_t)config->client_certificates};

    if (config->client_certificates != TLS_CLIENT_CERTIFICATES_OFF) {
        digest_sha256(text.data, text.len, bytes + 1);
        s->client_ca = pem_file_certificates(config->client_ca, text.data, text.len, err);
        if (!s->client_ca)
            return false;
    }
    digest_sha256(bytes, sizeof(bytes), s->audience);
    return true;
}

static void take_certificates(struct server_context *s, struct certificate *const *certificates, unsigned count)
{
    s->certificates = need_zeroed(count, sizeof(struct certificate *));
    for (; s->count < count; s->count++) {
        s->certificates[s->count] = certificate_ref(certificates[s->count]);
        server_names_add(s->names, s->certificates[s->count]);
    }
    server_names_fill(s->names);
}

struct server_context *server_context_new(const struct server_parts *parts, struct error *err)
{
    struct server_context *s = need_zeroed(1, sizeof(*s));
    bool ok;

    ASSERT_CONTROL();
    CHECK(parts->count);
    s->refs = 1;
    s->config = parts->config;
    s->refuse_unknown = parts->config->refuse_unknown;
    s->names = map_new();
    s->by_choice = map_new();
    s->tickets = tickets_ref(parts->tickets);
    take_certificates(s, parts->certificates, parts->count);
    ok = take_client_ca(s, parts->client_ca, err) && choose_fallback(s, err) && make_contexts(s, err);
    s->config = NULL;
    if (ok)
        return s;
    server_context_unref(s);
    return NULL;
}

struct server_context *server_context_ref(struct server_context *s)
{
    CHECK(s->refs > 0);
    s->refs++;
    return s;
}

void server_context_unref(struct server_context *s)
{
    size_t cursor = 0;
    void *value;

    if (!s)
        return;
    CHECK(s->refs > 0);
    if (--s->refs > 0)
        return;
    while (map_next(s->by_choice, &cursor, NULL, &value))
        SSL_CTX_free(value);
    map_free(s->by_choice);
    server_names_free(s->names);
    for (unsigned i = 0; i < s->count; i++)
        certificate_unref(s->certificates[i]);
    free(s->certificates);
    tickets_unref(s->tickets);
    sk_X509_pop_free(s->client_ca, X509_free);
    free(s);
}

bool server_context_open(struct transport *t, int fd, struct tls_accept *accept)
{
    if (!tls_transport_open(t, fd, accept->context->fallback.context, TLS_SERVER))
        return false;
    SSL_set_app_data(tls_transport_ssl(t), accept);
    return true;
}
