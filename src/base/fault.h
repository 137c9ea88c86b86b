/* fault.h - lets any allocation, system call or step fail on demand, to see what becomes of it.
 *
 * The debug, ASan and TSan builds include this header before every source (-DTIDELOCK_FAULTS -include): the calls
 * below become calls through a *site*, named FILE:FUNCTION:CALL. In a release build nothing of it is there.
 *
 *   TIDELOCK_FAIL=RULE,RULE...   RULE: site:nth  site:nth:how  site:from+  site:from+:how
 *                                      site:from+count  site:from+count:how
 *   TIDELOCK_FAIL=list           says at the end on standard error which sites were reached, and how often
 *
 * site may end in @LINE, for one of several like calls in a function. how is the name of an errno (EINTR), or `short`:
 * a transfer moves half of it. Without it the call fails as it does most likely. What failed is said on standard
 * error. A close that fails has closed, as on Linux. A call in src/ whose name a member of a struct has, too, is written
 * (ops->read)(...), which no macro sees.
 *
 * Thread: any; rules are read once, by fault_start. Sites live for ever. */
#pragma once
#include <stdbool.h>

#ifndef TIDELOCK_FAULTS

static inline void fault_start(void)
{
}

/* Is the step of this name (a literal or a constant) to fail? Its site is step:NAME. */
#define FAULT_STEP(name) false

#else

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct fault_site {
    const char *file, *function, *call;
    int line;
    _Atomic(bool) known; /* linked among all sites */
    struct fault_site *next;
    atomic_uint_fast64_t calls;
};

/* Reads TIDELOCK_FAIL and sets the allocators of the libraries. Before anything else of the program. */
void fault_start(void);

/* Counts a call of a site. 0: go on; an errno: fail with it (errno is set); -1: move half. like: the errno of a failure
 * for which no other is asked. */
int fault_hit(struct fault_site *at, int like);

/* The same for what has no place in a source: file "openssl", call "malloc"; and for steps. */
bool fault_step(const char *name);
#define FAULT_STEP(name) fault_step(name)

#define FAULT_SITE(name) \
    ({ \
        static struct fault_site fault_here = {__FILE__, __func__, name, __LINE__, false, NULL, 0}; \
        &fault_here; \
    })

void *fault_malloc(struct fault_site *at, size_t size);
void *fault_calloc(struct fault_site *at, size_t count, size_t size);
void *fault_realloc(struct fault_site *at, void *old, size_t size);
void *fault_aligned_alloc(struct fault_site *at, size_t alignment, size_t size);
char *fault_strdup(struct fault_site *at, const char *text);
char *fault_strndup(struct fault_site *at, const char *text, size_t len);
void *fault_mmap(struct fault_site *at, void *where, size_t len, int prot, int flags, int fd, off_t offset);
int fault_vasprintf(struct fault_site *at, char **out, const char *fmt, va_list ap);
int fault_asprintf(struct fault_site *at, char **out, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
FILE *fault_open_memstream(struct fault_site *at, char **text, size_t *len);
ssize_t fault_recv(struct fault_site *at, int fd, void *to, size_t size, int flags);
ssize_t fault_send(struct fault_site *at, int fd, const void *from, size_t size, int flags);
ssize_t fault_sendmsg(struct fault_site *at, int fd, const struct msghdr *msg, int flags);
ssize_t fault_read(struct fault_site *at, int fd, void *to, size_t size);
ssize_t fault_write(struct fault_site *at, int fd, const void *from, size_t size);
ssize_t fault_getrandom(struct fault_site *at, void *to, size_t size, unsigned flags);
int fault_accept4(struct fault_site *at, int fd, struct sockaddr *peer, socklen_t *size, int flags);
int fault_socket(struct fault_site *at, int family, int type, int protocol);
int fault_socketpair(struct fault_site *at, int family, int type, int protocol, int fds[2]);
int fault_connect(struct fault_site *at, int fd, const struct sockaddr *to, socklen_t size);
int fault_bind(struct fault_site *at, int fd, const struct sockaddr *to, socklen_t size);
int fault_listen(struct fault_site *at, int fd, int backlog);
int fault_setsockopt(struct fault_site *at, int fd, int level, int option, const void *value, socklen_t size);
int fault_getsockopt(struct fault_site *at, int fd, int level, int option, void *value, socklen_t *size);
int fault_getsockname(struct fault_site *at, int fd, struct sockaddr *name, socklen_t *size);
int fault_open(struct fault_site *at, const char *path, int flags, mode_t mode, ...);
int fault_openat(struct fault_site *at, int dir, const char *path, int flags, mode_t mode, ...);
int fault_fstat(struct fault_site *at, int fd, struct stat *st);
int fault_stat(struct fault_site *at, const char *path, struct stat *st);
int fault_lstat(struct fault_site *at, const char *path, struct stat *st);
int fault_dup3(struct fault_site *at, int from, int to, int flags);
int fault_fcntl(struct fault_site *at, int fd, int command, long argument, ...);
int fault_poll(struct fault_site *at, struct pollfd *fds, nfds_t count, int timeout_ms);
int fault_eventfd(struct fault_site *at, unsigned value, int flags);
int fault_inotify_init1(struct fault_site *at, int flags);
int fault_inotify_add_watch(struct fault_site *at, int fd, const char *path, uint32_t mask);
int fault_pthread_create(struct fault_site *at, pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                         void *arg);
int fault_close(struct fault_site *at, int fd);
int fault_shutdown(struct fault_site *at, int fd, int how);
DIR *fault_opendir(struct fault_site *at, const char *path);
DIR *fault_fdopendir(struct fault_site *at, int fd);
struct dirent *fault_readdir(struct fault_site *at, DIR *dir);
FILE *fault_fopen(struct fault_site *at, const char *path, const char *mode);
ssize_t fault_readlink(struct fault_site *at, const char *path, char *to, size_t size);
char *fault_realpath(struct fault_site *at, const char *path, char *to);

#define malloc(...) fault_malloc(FAULT_SITE("malloc"), __VA_ARGS__)
#define calloc(...) fault_calloc(FAULT_SITE("calloc"), __VA_ARGS__)
#define realloc(...) fault_realloc(FAULT_SITE("realloc"), __VA_ARGS__)
#define aligned_alloc(...) fault_aligned_alloc(FAULT_SITE("aligned_alloc"), __VA_ARGS__)
#define strdup(...) fault_strdup(FAULT_SITE("strdup"), __VA_ARGS__)
#define strndup(...) fault_strndup(FAULT_SITE("strndup"), __VA_ARGS__)
#define mmap(...) fault_mmap(FAULT_SITE("mmap"), __VA_ARGS__)
#define vasprintf(...) fault_vasprintf(FAULT_SITE("vasprintf"), __VA_ARGS__)
#define asprintf(...) fault_asprintf(FAULT_SITE("asprintf"), __VA_ARGS__)
#define open_memstream(...) fault_open_memstream(FAULT_SITE("open_memstream"), __VA_ARGS__)
#define recv(...) fault_recv(FAULT_SITE("recv"), __VA_ARGS__)
#define send(...) fault_send(FAULT_SITE("send"), __VA_ARGS__)
#define sendmsg(...) fault_sendmsg(FAULT_SITE("sendmsg"), __VA_ARGS__)
#define read(...) fault_read(FAULT_SITE("read"), __VA_ARGS__)
#define write(...) fault_write(FAULT_SITE("write"), __VA_ARGS__)
#define getrandom(...) fault_getrandom(FAULT_SITE("getrandom"), __VA_ARGS__)
#define accept4(...) fault_accept4(FAULT_SITE("accept4"), __VA_ARGS__)
#define socket(...) fault_socket(FAULT_SITE("socket"), __VA_ARGS__)
#define socketpair(...) fault_socketpair(FAULT_SITE("socketpair"), __VA_ARGS__)
#define connect(...) fault_connect(FAULT_SITE("connect"), __VA_ARGS__)
#define bind(...) fault_bind(FAULT_SITE("bind"), __VA_ARGS__)
#define listen(...) fault_listen(FAULT_SITE("listen"), __VA_ARGS__)
#define setsockopt(...) fault_setsockopt(FAULT_SITE("setsockopt"), __VA_ARGS__)
#define getsockopt(...) fault_getsockopt(FAULT_SITE("getsockopt"), __VA_ARGS__)
#define getsockname(...) fault_getsockname(FAULT_SITE("getsockname"), __VA_ARGS__)
/* The mode, where there is one, stands before the 0. */
#define open(...) fault_open(FAULT_SITE("open"), __VA_ARGS__, 0, 0)
#define openat(...) fault_openat(FAULT_SITE("openat"), __VA_ARGS__, 0, 0)
#define fstat(...) fault_fstat(FAULT_SITE("fstat"), __VA_ARGS__)
#define stat(...) fault_stat(FAULT_SITE("stat"), __VA_ARGS__)
#define lstat(...) fault_lstat(FAULT_SITE("lstat"), __VA_ARGS__)
#define dup3(...) fault_dup3(FAULT_SITE("dup3"), __VA_ARGS__)
#define fcntl(...) fault_fcntl(FAULT_SITE("fcntl"), __VA_ARGS__, 0)
#define poll(...) fault_poll(FAULT_SITE("poll"), __VA_ARGS__)
#define eventfd(...) fault_eventfd(FAULT_SITE("eventfd"), __VA_ARGS__)
#define inotify_init1(...) fault_inotify_init1(FAULT_SITE("inotify_init1"), __VA_ARGS__)
#define inotify_add_watch(...) fault_inotify_add_watch(FAULT_SITE("inotify_add_watch"), __VA_ARGS__)
#define pthread_create(...) fault_pthread_create(FAULT_SITE("pthread_create"), __VA_ARGS__)
#define close(...) fault_close(FAULT_SITE("close"), __VA_ARGS__)
#define shutdown(...) fault_shutdown(FAULT_SITE("shutdown"), __VA_ARGS__)
#define opendir(...) fault_opendir(FAULT_SITE("opendir"), __VA_ARGS__)
#define readdir(...) fault_readdir(FAULT_SITE("readdir"), __VA_ARGS__)
#define fdopendir(...) fault_fdopendir(FAULT_SITE("fdopendir"), __VA_ARGS__)
#define fopen(...) fault_fopen(FAULT_SITE("fopen"), __VA_ARGS__)
#define readlink(...) fault_readlink(FAULT_SITE("readlink"), __VA_ARGS__)
#define realpath(...) fault_realpath(FAULT_SITE("realpath"), __VA_ARGS__)

#endif
