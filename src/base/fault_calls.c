/* The calls of base/fault.h: each asks its site first. A name in parentheses is the real one. */
#include "base/fault.h"

#ifdef TIDELOCK_FAULTS

#include <errno.h>
#include <stdarg.h>

enum { SHORT = -1 };

/* What fails by its errno: X(type, name, parameters, arguments, result of a failure, errno). */
#define UNWRAP(...) __VA_ARGS__
#define FAILS(type, name, parameters, arguments, failure, error) \
    type fault_##name(struct fault_site *at, UNWRAP parameters) \
    { \
        return fault_hit(at, error) > 0 ? failure : (name)arguments; \
    }

/* clang-format off */
FAILS(void *, malloc, (size_t size), (size), NULL, ENOMEM)
FAILS(void *, calloc, (size_t count, size_t size), (count, size), NULL, ENOMEM)
FAILS(void *, realloc, (void *old, size_t size), (old, size), NULL, ENOMEM)
FAILS(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), NULL, ENOMEM)
FAILS(char *, strdup, (const char *text), (text), NULL, ENOMEM)
FAILS(char *, strndup, (const char *text, size_t len), (text, len), NULL, ENOMEM)
FAILS(void *, mmap, (void *where, size_t len, int prot, int flags, int fd, off_t offset), (where, len, prot, flags, fd, offset), MAP_FAILED, ENOMEM)
FAILS(int, vasprintf, (char **out, const char *fmt, va_list ap), (out, fmt, ap), -1, ENOMEM)
FAILS(FILE *, open_memstream, (char **text, size_t *len), (text, len), NULL, ENOMEM)
FAILS(int, accept4, (int fd, struct sockaddr *peer, socklen_t *size, int flags), (fd, peer, size, flags), -1, EMFILE)
FAILS(int, socket, (int family, int type, int protocol), (family, type, protocol), -1, EMFILE)
FAILS(int, socketpair, (int family, int type, int protocol, int fds[2]), (family, type, protocol, fds), -1, EMFILE)
FAILS(int, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), -1, EADDRNOTAVAIL)
FAILS(int, bind, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), -1, EADDRINUSE)
FAILS(int, listen, (int fd, int backlog), (fd, backlog), -1, EADDRINUSE)
FAILS(int, setsockopt, (int fd, int level, int option, const void *value, socklen_t size), (fd, level, option, value, size), -1, ENOBUFS)
FAILS(int, getsockopt, (int fd, int level, int option, void *value, socklen_t *size), (fd, level, option, value, size), -1, ENOBUFS)
FAILS(int, getsockname, (int fd, struct sockaddr *name, socklen_t *size), (fd, name, size), -1, ENOBUFS)
FAILS(int, fstat, (int fd, struct stat *st), (fd, st), -1, EIO)
FAILS(int, stat, (const char *path, struct stat *st), (path, st), -1, EACCES)
FAILS(int, lstat, (const char *path, struct stat *st), (path, st), -1, EACCES)
FAILS(int, dup3, (int from, int to, int flags), (from, to, flags), -1, EMFILE)
FAILS(int, poll, (struct pollfd *fds, nfds_t count, int timeout_ms), (fds, count, timeout_ms), -1, EINTR)
FAILS(int, eventfd, (unsigned value, int flags), (value, flags), -1, EMFILE)
FAILS(int, inotify_init1, (int flags), (flags), -1, EMFILE)
FAILS(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask), -1, ENOSPC)
FAILS(int, shutdown, (int fd, int how), (fd, how), -1, ENOTCONN)
FAILS(DIR *, opendir, (const char *path), (path), NULL, EMFILE)
FAILS(struct dirent *, readdir, (DIR *dir), (dir), NULL, EIO)
FAILS(DIR *, fdopendir, (int fd), (fd), NULL, ENOMEM)
FAILS(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL, EMFILE)
FAILS(ssize_t, readlink, (const char *path, char *to, size_t size), (path, to, size), -1, EACCES)
FAILS(char *, realpath, (const char *path, char *to), (path, to), NULL, ENOMEM)
/* clang-format on */

/* A connection of which one end hears that it is broken is broken. */
static bool break_off(int how, int fd)
{
    if (how == ECONNRESET || how == EPIPE || how == ETIMEDOUT) {
        (void)(shutdown)(fd, SHUT_RDWR);
        errno = how;
    }
    return how > 0;
}

static bool stay(int how, int fd)
{
    (void)fd;
    return how > 0;
}

/* What moves bytes can move half of them. */
#define MOVES(name, parameters, arguments, error, fd, fails) \
    ssize_t fault_##name(struct fault_site *at, UNWRAP parameters) \
    { \
        int how = fault_hit(at, error); \
\
        if (fails(how, fd)) \
            return -1; \
        if (how == SHORT) \
            size = (size + 1) / 2; \
        return (name)arguments; \
    }

/* clang-format off */
MOVES(recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags), ECONNRESET, fd, break_off)
MOVES(send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags), EPIPE, fd, break_off)
MOVES(read, (int fd, void *to, size_t size), (fd, to, size), EIO, fd, stay)
MOVES(write, (int fd, const void *from, size_t size), (fd, from, size), ENOSPC, fd, stay)
MOVES(getrandom, (void *to, size_t size, unsigned flags), (to, size, flags), EINTR, -1, stay)
/* clang-format on */

ssize_t fault_sendmsg(struct fault_site *at, int fd, const struct msghdr *msg, int flags)
{
    int how = fault_hit(at, EPIPE);

    if (break_off(how, fd))
        return -1;
    if (how == SHORT)
        return (send)(fd, msg->msg_iov[0].iov_base, (msg->msg_iov[0].iov_len + 1) / 2, flags);
    return (sendmsg)(fd, msg, flags);
}

int fault_asprintf(struct fault_site *at, char **out, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = fault_vasprintf(at, out, fmt, ap);
    va_end(ap);
    return len;
}

int fault_open(struct fault_site *at, const char *path, int flags, mode_t mode, ...)
{
    return fault_hit(at, EMFILE) > 0 ? -1 : (open)(path, flags, mode);
}

int fault_openat(struct fault_site *at, int dir, const char *path, int flags, mode_t mode, ...)
{
    return fault_hit(at, EMFILE) > 0 ? -1 : (openat)(dir, path, flags, mode);
}

int fault_fcntl(struct fault_site *at, int fd, int command, long argument, ...)
{
    return fault_hit(at, EMFILE) > 0 ? -1 : (fcntl)(fd, command, argument);
}

/* The descriptor is closed, whatever is said of it. */
int fault_close(struct fault_site *at, int fd)
{
    int how = fault_hit(at, EIO), result = (close)(fd);

    if (how <= 0)
        return result;
    errno = how;
    return -1;
}

/* It returns its error. */
int fault_pthread_create(struct fault_site *at, pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                         void *arg)
{
    int how = fault_hit(at, EAGAIN);

    return how > 0 ? how : (pthread_create)(thread, attr, run, arg);
}

#endif
