#include "worker/client_secure.h"

#include "base/log.h"
#include "tls/tls_facts.h"
#include "tls/tls_transport.h"
#include "worker/client.h"
#include "worker/client_session.h"
#include "worker/handshake.h"

enum { LAST_HEAD_MS = 2000 }; /* for the request of a client whose handshake ends while the proxy stops */

/* What ALPN has chosen is spoken from here on, HTTP/1.1 without it. */
static void client_start_session(struct client *c)
{
    bool stopping = c->conn.worker->stopping;

    if (slice_eq(tls_transport_protocol(&c->conn.transport), SLICE("h2"))) {
        client_session_start(c);
        return;
    }
    client_set_phase(c, CLIENT_IDLE);
    conn_deadline(&c->conn, stopping ? LAST_HEAD_MS : worker_settings(c->conn.worker)->head_timeout_ms);
    conn_update_io(&c->conn);
}

/* Told in clear to who forgot the s. */
static const struct slice wants_https = SLICE_INIT("HTTP/1.1 400 Bad Request\r\n"
                                                   "Content-Type: text/plain; charset=utf-8\r\n"
                                                   "Content-Length: 49\r\n"
                                                   "Connection: close\r\n\r\n"
                                                   "This port speaks HTTPS: write https:// before it.");

void client_handshake_failed(struct client *c, enum close_reason reason)
{
    const char *why = tls_transport_error(&c->conn.transport);
    char peer[ADDRESS_TEXT_SIZE];

    if (c->handshake->accept.refused)
        why = c->handshake->accept.refused;
    COUNTER_ADD(c->conn.worker->handshakes_failed, 1);
    if (tls_transport_got_http(&c->conn.transport))
        tls_transport_send_clear(&c->conn.transport, wants_https);
    address_format(&c->peer, peer);
    log_write(LOG_DEBUG, "TLS handshake failed", "client=%s reason=\"%s\"", peer,
              reason == CLOSE_HANDSHAKE_FAILED && why ? why : close_reason_text(reason));
    client_close(c, reason);
}

static void handshake_done(struct client *c)
{
    struct worker *w = c->conn.worker;

    handshake_end(&c->handshake);
    c->tls = tls_facts_new(&c->conn.transport);
    if (!c->tls) {
        client_close(c, CLOSE_NO_MEMORY);
        return;
    }
    c->secure = true;
    COUNTER_ADD(w->secure_clients, 1);
    c->conn.blocked = c->conn.transport.unsent;
    COUNTER_ADD(w->handshakes_done, 1);
    COUNTER_ADD(w->handshakes_resumed, c->tls->resumed);
    client_start_session(c);
}

void client_handshake(struct client *c)
{
    switch (transport_handshake(&c->conn.transport)) {
    case IO_OK:
        handshake_done(c);
        return;
    case IO_AGAIN:
        conn_update_io(&c->conn);
        return;
    default:
        client_handshake_failed(c, CLOSE_HANDSHAKE_FAILED);
    }
}
