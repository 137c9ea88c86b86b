#include "tls/sessions.h"

#include <openssl/ssl.h>
#include <string.h>

void tls_sessions_put(struct tls_sessions *kept, SSL_SESSION *session)
{
    if (kept->count == TLS_SESSIONS_KEPT) {
        SSL_SESSION_free(kept->session[0]);
        kept->count--;
        memmove(kept->session, kept->session + 1, kept->count * sizeof(kept->session[0]));
    }
    kept->session[kept->count++] = session;
}

SSL_SESSION *tls_sessions_take(struct tls_sessions *kept)
{
    SSL_SESSION *newest;

    if (!kept->count)
        return NULL;
    newest = kept->session[kept->count - 1];
    if (SSL_SESSION_get_protocol_version(newest) < TLS1_3_VERSION) {
        SSL_SESSION_up_ref(newest);
        return newest;
    }
    kept->session[--kept->count] = NULL;
    return newest;
}

void tls_sessions_clear(struct tls_sessions *kept)
{
    while (kept->count)
        SSL_SESSION_free(kept->session[--kept->count]);
}
