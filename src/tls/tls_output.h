/* tls_output.h - what a TLS connection has encrypted and not sent yet.
 *
 * Records are gathered in memory of the thread, so that whatever one call writes leaves with one send. What the socket does not
 * take is kept with the connection. The tickets of a server of TLS 1.3, which come with the end of the handshake and for which
 * nobody waits, rest until something else is sent: that is one segment less for each connection.
 *
 * A call into OpenSSL that may have put something is followed by tls_output_flush or tls_output_rest, before any of another
 * connection's.
 *
 * Thread: the one that owns the connection. Ownership: embedded in the connection. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum { TLS_RECORD_MAX = 16 * 1024 }; /* plain bytes of a record */

struct tls_output {
    char *kept; /* encrypted and not sent: kept[kept_start, kept_end); NULL: nothing */
    size_t kept_start, kept_end;
    bool resting; /* what is kept goes with whatever is sent next */
};

/* The bytes of the next record, behind the first skip: from one piece, or gathered from several in scratch, which has room for
 * TLS_RECORD_MAX. Empty: there are no more. */
struct slice tls_output_record(const struct iovec *iov, int count, size_t skip, char *scratch);

/* Takes what was encrypted. False: out of memory, or the peer makes us answer and does not read. */
MUST_USE bool tls_output_put(struct tls_output *o, const char *data, size_t len);

/* Is there room for one more record of full size? */
bool tls_output_has_room(void);

/* Forgets what was put since the last flush. */
void tls_output_drop(void);

/* Sends what was kept and what was put since, in this order and with one call, as far as the socket takes it, and keeps the
 * rest. What rests is not sent alone. flags: of send(2). False: the connection is broken, or out of memory. */
MUST_USE bool tls_output_flush(struct tls_output *o, int fd, int flags);

/* What was put may wait for the next flush that has something to send. False: out of memory. */
MUST_USE bool tls_output_rest(struct tls_output *o);

/* Does anything wait for the socket to take it? */
static inline bool tls_output_is_unsent(const struct tls_output *o)
{
    return o->kept && !o->resting;
}

void tls_output_fini(struct tls_output *o);
