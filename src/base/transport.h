/* transport.h - bytes to and from one peer, whatever is between: TCP, TLS over it, or one stream of a connection that
 * carries many.
 *
 * The owner waits: for what transport_events says on the descriptor, or, where there is none, for the events that the
 * transport feeds after its wait operation was told what is wanted.
 *
 * Thread: the one that owns the connection. Ownership: a transport owns its descriptor and its state. */
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

enum io {
    IO_OK,    /* *n bytes were moved: more than 0, but for a transport without descriptor */
    IO_AGAIN, /* nothing can be moved now */
    IO_EOF,   /* read: the peer will send no more */
    IO_ERROR  /* the connection is broken */
};

struct transport;

struct transport_ops {
    /* Goes on with what comes before data. IO_OK: done; IO_AGAIN: wants_read or wants_write says for what it waits. NULL:
     * there is nothing to do. */
    enum io (*handshake)(struct transport *t);
    enum io (*read)(struct transport *t, void *to, size_t size, size_t *n);
    enum io (*write)(struct transport *t, const struct iovec *iov, int count, size_t *n);
    /* Nothing more will be written; the peer is told as far as that is possible at once. */
    void (*shutdown)(struct transport *t);
    /* abort: so that the peer cannot take what it got as complete. */
    void (*close)(struct transport *t, bool abort);
    /* The owner waits for these events (EV_READ, EV_WRITE; 0: none), as long as it does not say otherwise. NULL: it
     * watches the descriptor. */
    void (*wait)(struct transport *t, int events);
};

struct transport {
    const struct transport_ops *ops;
    void *state;          /* of the operations; NULL for TCP */
    int fd;               /* -1: none, or closed */
    bool open : 1;        /* not closed yet */
    bool wants_write : 1; /* reading or the handshake waits for the descriptor to be writable */
    bool wants_read : 1;  /* writing waits for it to be readable */
    bool unsent : 1;      /* written bytes are still here: write again, be it nothing, when the descriptor is writable */
    bool pending : 1;     /* received bytes are here already, of which the descriptor does not tell */
    bool ending : 1;      /* shutdown or close follow what is written as soon as it is taken: it may leave with the FIN */
};

/* Plain TCP on a non-blocking descriptor. */
void transport_open_tcp(struct transport *t, int fd);

static inline MUST_USE enum io transport_handshake(struct transport *t)
{
    return t->ops->handshake ? t->ops->handshake(t) : IO_OK;
}

static inline MUST_USE enum io transport_read(struct transport *t, void *to, size_t size, size_t *n)
{
    return (t->ops->read)(t, to, size, n);
}

static inline MUST_USE enum io transport_write(struct transport *t, const struct iovec *iov, int count,
                                               size_t *n)
{
    return (t->ops->write)(t, iov, count, n);
}

static inline void transport_shutdown(struct transport *t)
{
    (t->ops->shutdown)(t);
}

/* Once; again is fine. */
static inline void transport_close(struct transport *t, bool abort)
{
    if (t->open)
        (t->ops->close)(t, abort);
    t->open = false;
    t->fd = -1;
}
