/* probe_tls.h - TLS for a probe: a client's end on a non-blocking socket, told everything, refusing
 * nothing.
 *
 * The server's certificate is checked against the system's store and the name that was asked for;
 * the result is reported, the connection goes on either way.
 *
 * Thread: control. Ownership: the descriptor stays the caller's and is not closed. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stddef.h>
#include <sys/types.h>

struct probe_tls;

enum probe_io {
    PROBE_IO_OK,         /* done; for reading and writing *n bytes, more than 0 */
    PROBE_IO_WANT_READ,  /* again once the socket is readable */
    PROBE_IO_WANT_WRITE, /* again once it is writable */
    PROBE_IO_EOF,        /* reading: the peer ended */
    PROBE_IO_ERROR       /* broken; probe_tls_error says why */
};

/* host: the name for SNI and verification, or an address (is_ip). NULL: OpenSSL refused. */
struct probe_tls *probe_tls_new(int fd, struct slice host, bool is_ip);
void probe_tls_free(struct probe_tls *t); /* NULL is fine */

MUST_USE enum probe_io probe_tls_handshake(struct probe_tls *t);
MUST_USE enum probe_io probe_tls_read(struct probe_tls *t, void *to, size_t size, size_t *n);
MUST_USE enum probe_io probe_tls_write(struct probe_tls *t, const void *from, size_t size,
                                       size_t *n);

/* After the handshake: did the certificate verify? Else *why says what is wrong with it. Static
 * text. */
bool probe_tls_valid(const struct probe_tls *t, const char **why);

/* What went wrong, in OpenSSL's words. Static text. */
const char *probe_tls_error(const struct probe_tls *t);

/* "OpenSSL 3.0.22 ...", as linked. Static text; any thread. */
const char *probe_tls_version(void);

/* Frees what all probes share. */
void probe_tls_cleanup(void);
