#include "tls/tls_transport.h"

#include "base/sock.h"
#include "tls/tls_output.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_AHEAD = 64 * 1024,
    READS_MAX = 2,         /* of the socket in one call, so that others have their turn */
    BARREN_MAX = 32 * 1024 /* bytes without any for the reader: nobody needs so many updates of keys */
};

struct tls {
    SSL *ssl;
    int fd;
    struct tls_output out;
    int reads;         /* of the socket that this call may still make */
    size_t barren;     /* bytes received since the reader got some, after the handshake */
    const char *error; /* NULL: none so far */
    enum tls_failure failure;
    bool server;
    bool ready;  /* the handshake is done */
    bool failed; /* OpenSSL forbids further calls */
    bool http;   /* the peer spoke that, in clear */
};

/* ---- what OpenSSL reads from and writes to */

static int bio_write(BIO *bio, const char *data, int len)
{
    struct tls *tls = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    return tls_output_put(&tls->out, data, (size_t)len) ? len : -1;
}

static int bio_read(BIO *bio, char *to, int size)
{
    struct tls *tls = BIO_get_data(bio);
    ssize_t got;

    BIO_clear_retry_flags(bio);
    if (tls->barren > BARREN_MAX)
        return -1;
    if (tls->reads-- <= 0) { /* what more there is, the descriptor tells of */
        BIO_set_retry_read(bio);
        return -1;
    }
    do
        got = recv(tls->fd, to, (size_t)size, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN)
        BIO_set_retry_read(bio);
    if (got < size) /* there is no more */
        tls->reads = 0;
    if (got == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    if (got > 0 && tls->ready)
        tls->barren += (size_t)got;
    return (int)got;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

static _Atomic(BIO_METHOD *) bio_method; /* NULL: not made yet */

static void free_bio_method(void)
{
    BIO_meth_free(bio_method);
}

/* One for the process, whichever thread comes first; NULL without memory for it, then the next one tries. */
static BIO_METHOD *find_bio_method(void)
{
    BIO_METHOD *method = atomic_load(&bio_method), *other = NULL;

    if (method)
        return method;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (!method)
        return NULL;
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_ctrl);
    if (!atomic_compare_exchange_strong(&bio_method, &other, method)) {
        BIO_meth_free(method);
        return other;
    }
    atexit(free_bio_method);
    return method;
}

/* ---- sending */

/* Sends what was encrypted. False: the connection is broken. */
static bool flush(struct transport *t, int flags)
{
    struct tls *tls = t->state;
    bool ok = tls_output_flush(&tls->out, tls->fd, flags);

    t->unsent = ok && tls_output_is_unsent(&tls->out);
    if (!t->unsent)
        t->wants_write = false;
    return ok;
}

/* What lies in the thread's queue is taken for the reason when reading or the handshake can't go on. Clearing is dear, and there is
 * hardly ever anything to clear. */
static void forget_errors(void)
{
    if (UNLIKELY(ERR_peek_error() != 0))
        ERR_clear_error();
}

/* ---- the operations */

static void note(struct tls *tls, enum tls_failure failure, const char *error)
{
    tls->failure = failure;
    tls->error = error;
}

/* Why OpenSSL gave up. A certificate can be at fault during the handshake only. */
static void explain(struct tls *tls, int reason, unsigned long code)
{
    long verified = SSL_get_verify_result(tls->ssl);
    const char *text = ERR_reason_error_string(code);

    if (reason != SSL_ERROR_SSL)
        note(tls, TLS_FAILURE_CLOSED, "connection broken");
    else if (!tls->ready && verified != X509_V_OK && SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE)
        note(tls, TLS_FAILURE_CERTIFICATE, X509_verify_cert_error_string(verified));
    else if (ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET)
        note(tls, TLS_FAILURE_ALERT, text);
    else
        note(tls, TLS_FAILURE_PROTOCOL, text ? text : "not TLS");
}

/* What a call that did not succeed means; sends what it had to say. */
static enum io outcome(struct transport *t, int result)
{
    struct tls *tls = t->state;
    int reason = SSL_get_error(tls->ssl, result);
    unsigned long code = ERR_peek_error();
    bool sent = flush(t, 0);

    t->wants_write = t->unsent;
    if (reason == SSL_ERROR_WANT_READ)
        return sent ? IO_AGAIN : IO_ERROR;
    if (reason == SSL_ERROR_ZERO_RETURN)
        return IO_EOF;
    tls->failed = true;
    tls->http = reason == SSL_ERROR_SSL && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST;
    if (reason == SSL_ERROR_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        note(tls, TLS_FAILURE_CLOSED, "the connection ended without close_notify");
    else
        explain(tls, reason, code);
    return IO_ERROR;
}

static enum io tls_handshake(struct transport *t)
{
    struct tls *tls = t->state;
    int result;

    if (tls->ready)
        return IO_OK;
    if (tls->failed)
        return IO_ERROR;
    tls->reads = READS_MAX;
    forget_errors();
    result = SSL_do_handshake(tls->ssl);
    if (result != 1)
        return outcome(t, result);
    tls->ready = true;
    if (!(tls->server && SSL_version(tls->ssl) == TLS1_3_VERSION ? tls_output_rest(&tls->out) : flush(t, 0)))
        return IO_ERROR;
    t->unsent = tls_output_is_unsent(&tls->out);
    t->wants_write = t->unsent;
    t->pending = SSL_has_pending(tls->ssl);
    return IO_OK;
}

static enum io tls_read(struct transport *t, void *to, size_t size, size_t *n)
{
    struct tls *tls = t->state;
    enum io result;
    size_t got;

    *n = 0;
    t->pending = false;
    if (tls->failed)
        return IO_ERROR;
    tls->reads = READS_MAX;
    while (*n < size) {
        int ok;

        forget_errors();
        ok = SSL_read_ex(tls->ssl, (char *)to + *n, size - *n, &got);
        if (ok != 1) {
            result = outcome(t, ok);
            t->pending = *n && result != IO_AGAIN; /* bytes first: the next read finds out again */
            return *n ? IO_OK : result;
        }
        *n += got;
        tls->barren = 0;
        if (!SSL_has_pending(tls->ssl))
            break; /* what would be read next is still in the socket, if anywhere */
    }
    t->pending = *n == size && SSL_has_pending(tls->ssl);
    t->wants_write = !flush(t, 0) || t->unsent;
    return IO_OK;
}

static enum io tls_write(struct transport *t, const struct iovec *iov, int count, size_t *n)
{
    struct tls *tls = t->state;
    char scratch[TLS_RECORD_MAX];
    size_t done;

    *n = 0;
    if (tls->failed || !flush(t, 0))
        return IO_ERROR;
    if (t->unsent)
        return IO_AGAIN;
    while (tls_output_has_room()) {
        struct slice record = tls_output_record(iov, count, *n, scratch);

        if (!record.len)
            break;
        if (SSL_write_ex(tls->ssl, record.data, record.len, &done) != 1) {
            tls->failed = true;
            t->pending = true; /* reading says so, too */
            tls_output_drop();
            return IO_ERROR;
        }
        *n += done;
    }
    return flush(t, 0) ? IO_OK : IO_ERROR;
}

/* close_notify, if it can leave at once: with the end of the connection, which follows. */
static void notify(struct transport *t)
{
    struct tls *tls = t->state;

    if (!tls->ready || tls->failed || (SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN))
        return;
    (void)SSL_shutdown(tls->ssl);
    (void)flush(t, MSG_MORE);
}

static void tls_shutdown(struct transport *t)
{
    notify(t);
    shutdown(t->fd, SHUT_WR);
}

static void tls_free(struct tls *tls)
{
    SSL_free(tls->ssl);
    tls_output_fini(&tls->out);
    free(tls);
}

static void tls_close(struct transport *t, bool abort)
{
    struct tls *tls = t->state;

    if (abort) {
        sock_close_reset(t->fd);
    } else {
        notify(t);
        close(t->fd);
    }
    tls_free(tls);
    t->state = NULL;
}

static const struct transport_ops tls_ops = {
    .handshake = tls_handshake,
    .read = tls_read,
    .write = tls_write,
    .shutdown = tls_shutdown,
    .close = tls_close,
};

static bool set_up(struct tls *tls, SSL_CTX *ctx)
{
    BIO_METHOD *method = find_bio_method();
    BIO *bio;

    tls->ssl = method ? SSL_new(ctx) : NULL;
    bio = tls->ssl ? BIO_new(method) : NULL;
    if (!bio) {
        SSL_free(tls->ssl);
        return false;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_read_ahead(tls->ssl, 1);
    SSL_set_default_read_buffer_len(tls->ssl, READ_AHEAD);
    SSL_set_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_set_options(tls->ssl, SSL_OP_NO_RENEGOTIATION);
    if (tls->server)
        SSL_set_options(tls->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (tls->server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    return true;
}

bool tls_transport_open(struct transport *t, int fd, SSL_CTX *ctx, enum tls_role role)
{
    struct tls *tls = calloc(1, sizeof(*tls));

    if (!tls)
        return false;
    tls->fd = fd;
    tls->server = role == TLS_SERVER;
    if (!set_up(tls, ctx)) {
        free(tls);
        return false;
    }
    *t = (struct transport){.ops = &tls_ops, .fd = fd, .state = tls, .open = true};
    return true;
}

void tls_transport_abandon(struct transport *t)
{
    tls_free(t->state);
    *t = (struct transport){.fd = -1};
}

SSL *tls_transport_ssl(const struct transport *t)
{
    return ((struct tls *)t->state)->ssl;
}

struct slice tls_transport_protocol(const struct transport *t)
{
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(tls_transport_ssl(t), &name, &len);
    return slice_of((const char *)name, len);
}

bool tls_transport_got_http(const struct transport *t)
{
    return ((struct tls *)t->state)->http;
}

void tls_transport_send_clear(struct transport *t, struct slice bytes)
{
    (void)!send(t->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
}

enum tls_failure tls_transport_failure(const struct transport *t)
{
    return t->ops == &tls_ops ? ((struct tls *)t->state)->failure : TLS_FAILURE_NONE;
}

const char *tls_transport_error(const struct transport *t)
{
    return t->ops == &tls_ops ? ((struct tls *)t->state)->error : NULL;
}

bool tls_transport_verified(const struct transport *t, const char **why)
{
    long result = SSL_get_verify_result(tls_transport_ssl(t));

    *why = X509_verify_cert_error_string(result);
    return result == X509_V_OK;
}
