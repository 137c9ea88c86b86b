#include "worker/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static enum io tcp_read(struct stream *s, void *to, size_t size, size_t *n)
{
    ssize_t got;

    do
        got = recv(s->fd, to, size, 0);
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

static enum io tcp_write(struct stream *s, const struct iovec *iov, int count, size_t *n)
{
    struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    ssize_t put;

    do
        put = count == 1 ? send(s->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                         : sendmsg(s->fd, &msg, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put >= 0) {
        *n = (size_t)put;
        return IO_OK;
    }
    *n = 0;
    return errno == EAGAIN ? IO_AGAIN : IO_ERROR;
}

static void tcp_close(struct stream *s)
{
    close(s->fd);
    s->fd = -1;
}

static const struct stream_ops tcp_ops = {tcp_read, tcp_write, tcp_close};

void stream_open_tcp(struct stream *s, int fd)
{
    s->ops = &tcp_ops;
    s->fd = fd;
}
