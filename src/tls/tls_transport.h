/* tls_transport.h - TLS over TCP as a transport (OpenSSL).
 *
 * What is written is encrypted into memory first and leaves with one send, whatever number of records it takes; what the
 * socket does not take is kept, and t->unsent says so until a further write (of nothing, if need be) has sent it.
 * So a write is never repeated with other bytes. Reading fills the caller's buffer from as many records as are there.
 *
 * The end of the peer's data is IO_EOF after its close_notify. A server's without one may have been cut by anybody: IO_ERROR, and
 * TLS_FAILURE_CLOSED. Clients leave like that as a matter of course, and what they send says by itself whether it is whole:
 * IO_EOF.
 *
 * Thread: the one that owns the connection. Ownership: the transport owns descriptor and SSL; the context stays the
 * caller's, and is referenced. */
#pragma once
#include "base/slice.h"
#include "base/transport.h"

struct ssl_ctx_st;
struct ssl_st;

enum tls_role { TLS_SERVER, TLS_CLIENT };

/* Whose fault it is that a connection broke. */
enum tls_failure {
    TLS_FAILURE_NONE,        /* nothing has, or it is not TLS */
    TLS_FAILURE_CERTIFICATE, /* the peer's certificate is not valid */
    TLS_FAILURE_ALERT,       /* the peer refused */
    TLS_FAILURE_PROTOCOL,    /* what the peer sent cannot be taken */
    TLS_FAILURE_CLOSED       /* the connection below ended or broke */
};

/* Makes t one end of a TLS connection on a non-blocking descriptor; the handshake is still to come. False: out of memory, the
 * descriptor stays the caller's. */
MUST_USE bool tls_transport_open(struct transport *t, int fd, struct ssl_ctx_st *ctx, enum tls_role role);

/* Frees it and leaves the descriptor to the caller. */
void tls_transport_abandon(struct transport *t);

/* The connection, for the files of src/tls. */
struct ssl_st *tls_transport_ssl(const struct transport *t);

/* What ALPN chose; absent: nothing. */
struct slice tls_transport_protocol(const struct transport *t);

/* Did the client speak HTTP in clear instead? Then it may be told so. */
bool tls_transport_got_http(const struct transport *t);

/* Sends bytes in clear on a connection that never came to TLS, as far as they go out at once. */
void tls_transport_send_clear(struct transport *t, struct slice bytes);

enum tls_failure tls_transport_failure(const struct transport *t);

/* What went wrong, in OpenSSL's words or about the certificate; static text, NULL when nothing did or it is not TLS. */
const char *tls_transport_error(const struct transport *t);

/* After a client's handshake: did the certificate verify? Else *why says what is wrong with it; static text. */
bool tls_transport_verified(const struct transport *t, const char **why);
