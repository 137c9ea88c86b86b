#include "tls/tls_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    RECORD_OVERHEAD = 512, /* more than any cipher adds to a record */
    OUT_SIZE = 4 * (TLS_RECORD_MAX + RECORD_OVERHEAD),
    KEPT_MAX = 256 * 1024 /* unsent bytes of a peer that makes us answer and does not read */
};

/* What the calls into OpenSSL on this thread have encrypted since the last flush. */
static __thread struct {
    char data[OUT_SIZE];
    size_t len;
} out;

static bool keep(struct tls_output *o, const char *data, size_t len)
{
    size_t kept = o->kept_end - o->kept_start;
    char *grown;

    if (!len)
        return true;
    if (kept + len > KEPT_MAX)
        return false;
    grown = malloc(kept + len);
    if (!grown)
        return false;
    if (kept)
        memcpy(grown, o->kept + o->kept_start, kept);
    memcpy(grown + kept, data, len);
    free(o->kept);
    o->kept = grown;
    o->kept_start = 0;
    o->kept_end = kept + len;
    o->resting = false;
    return true;
}

bool tls_output_put(struct tls_output *o, const char *data, size_t len)
{
    if (out.len + len > OUT_SIZE) {
        if (!keep(o, out.data, out.len) || !keep(o, data, len))
            return false;
        out.len = 0;
        return true;
    }
    memcpy(out.data + out.len, data, len);
    out.len += len;
    return true;
}

struct slice tls_output_record(const struct iovec *iov, int count, size_t skip, char *scratch)
{
    size_t len = 0;

    while (count && skip >= iov->iov_len) {
        skip -= iov->iov_len;
        iov++;
        count--;
    }
    if (!count)
        return SLICE("");
    if (count == 1 || iov->iov_len - skip >= TLS_RECORD_MAX) {
        len = iov->iov_len - skip;
        return slice_of((char *)iov->iov_base + skip, len < TLS_RECORD_MAX ? len : TLS_RECORD_MAX);
    }
    for (; count && len < TLS_RECORD_MAX; iov++, count--, skip = 0) {
        size_t piece = iov->iov_len - skip;

        if (piece > TLS_RECORD_MAX - len)
            piece = TLS_RECORD_MAX - len;
        memcpy(scratch + len, (char *)iov->iov_base + skip, piece);
        len += piece;
    }
    return slice_of(scratch, len);
}

bool tls_output_has_room(void)
{
    return out.len + TLS_RECORD_MAX + RECORD_OVERHEAD <= OUT_SIZE;
}

void tls_output_drop(void)
{
    out.len = 0;
}

static ssize_t send_both(int fd, struct iovec *kept, struct iovec *put, int flags)
{
    struct iovec both[] = {*kept, *put};
    const struct msghdr message = {.msg_iov = both, .msg_iovlen = 2};
    const struct iovec *one = kept->iov_len ? kept : put;
    ssize_t sent;

    do
        sent = kept->iov_len && put->iov_len ? sendmsg(fd, &message, flags | MSG_NOSIGNAL)
                                             : send(fd, one->iov_base, one->iov_len, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 && errno == EAGAIN ? 0 : sent;
}

static void drop_kept(struct tls_output *o, size_t n)
{
    o->kept_start += n;
    if (o->kept_start < o->kept_end)
        return;
    free(o->kept);
    o->kept = NULL;
    o->kept_start = o->kept_end = 0;
    o->resting = false;
}

bool tls_output_flush(struct tls_output *o, int fd, int flags)
{
    size_t kept_len = o->kept_end - o->kept_start, len = out.len, from_kept;
    struct iovec kept = {kept_len ? o->kept + o->kept_start : NULL, kept_len}, put = {out.data, len};
    ssize_t sent;

    out.len = 0;
    if (!len && !tls_output_is_unsent(o))
        return true;
    sent = send_both(fd, &kept, &put, flags);
    if (sent < 0)
        return false;
    o->resting = false;
    from_kept = (size_t)sent < kept_len ? (size_t)sent : kept_len;
    if (from_kept)
        drop_kept(o, from_kept);
    return keep(o, out.data + ((size_t)sent - from_kept), len - ((size_t)sent - from_kept));
}

bool tls_output_rest(struct tls_output *o)
{
    size_t len = out.len;
    bool alone = !tls_output_is_unsent(o);

    out.len = 0;
    if (!keep(o, out.data, len))
        return false;
    o->resting = alone && o->kept;
    return true;
}

void tls_output_fini(struct tls_output *o)
{
    free(o->kept);
    *o = (struct tls_output){0};
}
