#include "base/transport.h"

#include "base/sock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static enum io tcp_read(struct transport *t, void *to, size_t size, size_t *n)
{
    ssize_t got;

    do
        got = recv(t->fd, to, size, 0);
    while (got < 0 && errno == EINTR);
    if (got > 0) {
        *n = (size_t)got;
        return IO_OK;
    }
    *n = 0;
    if (got == 0)
        return IO_EOF;
    return errno == EAGAIN ? IO_AGAIN : IO_ERROR;
}

static SELDOM ssize_t send_pieces(int fd, const struct iovec *iov, int count, int flags)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};

    return sendmsg(fd, &msg, flags);
}

static enum io tcp_write(struct transport *t, const struct iovec *iov, int count, size_t *n)
{
    int flags = t->ending ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
    ssize_t put;

    do
        put = count == 1 ? send(t->fd, iov->iov_base, iov->iov_len, flags) : send_pieces(t->fd, iov, count, flags);
    while (put < 0 && errno == EINTR);
    if (put >= 0) {
        *n = (size_t)put;
        return IO_OK;
    }
    *n = 0;
    return errno == EAGAIN ? IO_AGAIN : IO_ERROR;
}

static void tcp_shutdown(struct transport *t)
{
    shutdown(t->fd, SHUT_WR);
}

static void tcp_close(struct transport *t, bool abort)
{
    if (abort)
        sock_close_reset(t->fd);
    else
        close(t->fd);
}

static const struct transport_ops tcp_ops = {
    .read = tcp_read,
    .write = tcp_write,
    .shutdown = tcp_shutdown,
    .close = tcp_close,
};

void transport_open_tcp(struct transport *t, int fd)
{
    *t = (struct transport){.ops = &tcp_ops, .fd = fd, .open = true};
}
