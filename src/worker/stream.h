/* stream.h - bytes to and from one socket, whatever is between (nothing now, TLS later).
 *
 * Thread: the worker that owns the connection. Ownership: the stream owns its descriptor. */
#pragma once
#include "base/check.h"
#include <stddef.h>
#include <sys/uio.h>

enum io {
    IO_OK,    /* *n bytes (more than 0) were moved */
    IO_AGAIN, /* nothing can be moved now */
    IO_EOF,   /* read: the peer will send no more */
    IO_ERROR  /* the connection is broken */
};

struct stream;

struct stream_ops {
    enum io (*read)(struct stream *s, void *to, size_t size, size_t *n);
    enum io (*write)(struct stream *s, const struct iovec *iov, int count, size_t *n);
    void (*close)(struct stream *s);
};

struct stream {
    const struct stream_ops *ops;
    int fd; /* -1 once closed */
};

/* Plain TCP on a non-blocking descriptor. */
void stream_open_tcp(struct stream *s, int fd);

static inline MUST_USE enum io stream_read(struct stream *s, void *to, size_t size, size_t *n)
{
    return s->ops->read(s, to, size, n);
}

static inline MUST_USE enum io stream_write(struct stream *s, const struct iovec *iov, int count,
                                            size_t *n)
{
    return s->ops->write(s, iov, count, n);
}

static inline void stream_close(struct stream *s)
{
    if (s->fd >= 0)
        s->ops->close(s);
}
