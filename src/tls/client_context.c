#include "tls/client_context.h"

#include "base/need.h"
#include "tls/files.h"
#include "tls/sessions.h"
#include "tls/tls_transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>

struct tls_client {
    unsigned refs; /* control only */
    uint64_t serial;
    SSL_CTX *ctx;
};

static int sessions_index; /* negative: OpenSSL had none; of a connection's struct tls_sessions in its SSL */
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

static void make_index(void)
{
    sessions_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* A session, or the ticket for one, has come: 1 takes the reference. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_sessions *kept = SSL_get_ex_data(ssl, sessions_index);

    if (!kept || !SSL_SESSION_is_resumable(session))
        return 0;
    tls_sessions_put(kept, session);
    return 1;
}

static bool set_up(SSL_CTX *ctx, const struct tls_client_files *files, enum tls_verify verify, struct slice alpn,
                   struct error *err)
{
    if (!tls_files_defaults(ctx, err))
        return false;
    if (alpn.len && SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)alpn.data, (unsigned)alpn.len) != 0)
        return tls_files_refused(err, "TLS", "not set up");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    SSL_CTX_set_verify(ctx, verify == TLS_VERIFY_REPORT ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (verify == TLS_VERIFY_NOTHING)
        return true;
    return tls_files_trust(ctx, files->authorities, err) &&
           (!files->certificate || tls_files_present(ctx, files->certificate, files->key, err));
}

struct tls_client *tls_client_new(const struct tls_client_files *files, enum tls_verify verify, struct slice alpn,
                                  struct error *err)
{
    static uint64_t serials; /* control only */
    struct tls_client *client = need_zeroed(1, sizeof(*client));

    ASSERT_CONTROL();
    pthread_once(&index_once, make_index);
    ERR_clear_error();
    client->refs = 1;
    client->serial = ++serials;
    client->ctx = SSL_CTX_new(TLS_client_method());
    if (!client->ctx || sessions_index < 0)
        (void)tls_files_refused(err, "TLS", "not set up");
    else if (set_up(client->ctx, files, verify, alpn, err))
        return client;
    tls_client_unref(client);
    return NULL;
}

struct tls_client *tls_client_ref(struct tls_client *client)
{
    ASSERT_CONTROL();
    CHECK(client->refs > 0);
    client->refs++;
    return client;
}

void tls_client_unref(struct tls_client *client)
{
    if (!client)
        return;
    ASSERT_CONTROL();
    CHECK(client->refs > 0);
    if (--client->refs > 0)
        return;
    SSL_CTX_free(client->ctx);
    free(client);
}

uint64_t tls_client_serial(const struct tls_client *client)
{
    return client->serial;
}

static bool set_peer(SSL *ssl, const struct tls_peer *peer)
{
    if (peer->is_ip)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), peer->name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set_tlsext_host_name(ssl, peer->name) == 1 && SSL_set1_host(ssl, peer->name) == 1;
}

static void resume(SSL *ssl, struct tls_sessions *sessions)
{
    SSL_SESSION *session;

    if (!sessions)
        return;
    SSL_set_ex_data(ssl, sessions_index, sessions);
    session = tls_sessions_take(sessions);
    if (!session)
        return;
    (void)SSL_set_session(ssl, session); /* at worst a whole handshake */
    SSL_SESSION_free(session);
}

bool tls_client_open(const struct tls_client *client, struct transport *t, int fd, const struct tls_peer *peer,
                     struct tls_sessions *sessions)
{
    struct transport opened;

    if (!tls_transport_open(&opened, fd, client->ctx, TLS_CLIENT))
        return false;
    if (!set_peer(tls_transport_ssl(&opened), peer)) {
        tls_transport_abandon(&opened);
        return false;
    }
    resume(tls_transport_ssl(&opened), sessions);
    *t = opened;
    return true;
}

const char *tls_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
