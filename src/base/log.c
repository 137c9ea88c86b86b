#include "base/log.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/file_error.h"
#include "base/log_line.h"
#include "base/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANNEL_LOG, CHANNEL_ACCESS, BATCH_MS = 10, TELL_MS = 1000, OUT_SIZE = 64 * 1024 };

/* Lines of one channel on their way to a descriptor; the log thread's. */
struct output {
    int fd;
    bool given_up; /* its reader stalled while the program ends */
    bool failing;  /* the last write failed: the disk is full, the reader gone */
    bool torn;     /* and left a piece of a line: an end is due before the next one */
    size_t len;
    char bytes[OUT_SIZE];
};

/* The ring of one thread; linked once, freed by log_close. */
struct writer_ring {
    struct ring ring;
    struct writer_ring *next;
};

static struct {
    _Atomic(struct writer_ring *) rings; /* pushed by log_attach */
    _Atomic int level;              /* enum log_level */
    _Atomic uint64_t dropped;
    _Atomic bool running, ending;
    _Atomic int access_fd;               /* -1: nowhere */
    char *access_path;                   /* of the thread that opens: the main thread */
    pthread_t thread;
    int wake;                            /* eventfd */
    struct output log, access;           /* the log thread's */
    struct crash_trail trail;            /* the log thread's */
} state = {.level = LOG_INFO, .access_fd = -1, .wake = -1};

static _Thread_local struct writer_ring *own_ring;

/* Does writing a whole block possibly wait for a reader? */
static bool may_stall(int fd)
{
    struct stat st;

    return fstat(fd, &st) != 0 || !S_ISREG(st.st_mode);
}

/* A reader that stalls holds up this thread only, and not the end of the program: pieces that a pipe takes whole are
 * written when it has room, and given up a second after the end was asked for. */
static size_t write_all(int fd, const char *bytes, size_t len)
{
    bool stall = may_stall(fd);
    size_t done = 0;

    while (done < len) {
        struct pollfd p = {fd, POLLOUT, 0};
        ssize_t n;

        if (stall && poll(&p, 1, 1000) == 0) {
            if (atomic_load(&state.ending))
                break;
            continue;
        }
        n = write(fd, bytes + done, stall && len - done > PIPE_BUF ? PIPE_BUF : len - done);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
        if (n > 0)
            done += (size_t)n;
    }
    return done;
}

/* Lines that were not written whole. */
static void count_lost(const char *bytes, size_t len)
{
    uint64_t lines = 0;

    for (const char *at = bytes; (at = memchr(at, '\n', len - (size_t)(at - bytes))); at++)
        lines++;
    atomic_fetch_add_explicit(&state.dropped, lines, memory_order_relaxed);
}

static bool output_writes(struct output *o)
{
    return o->fd >= 0 && !o->given_up && (!o->torn || write_all(o->fd, "\n", 1) == 1);
}

static void output_flush(struct output *o)
{
    size_t done = 0;

    if (!o->len)
        return;
    if (output_writes(o)) {
        done = write_all(o->fd, o->bytes, o->len);
        o->torn = done < o->len && done > 0 && o->bytes[done - 1] != '\n';
    }
    o->failing = done < o->len;
    if (o->failing) {
        count_lost(o->bytes + done, o->len - done);
        o->given_up = state.ending; /* one second for a stalled reader is enough */
    }
    o->len = 0;
}

static void output_line(struct output *o, const char *line, size_t len)
{
    if (OUT_SIZE - o->len < len + 1)
        output_flush(o);
    memcpy(o->bytes + o->len, line, len);
    o->len += len;
    o->bytes[o->len++] = '\n';
}

/* Once a second at most, and when there is somewhere to tell it. */
static void report_dropped(uint64_t *reported)
{
    static uint64_t told_ms; /* the log thread's */
    uint64_t dropped = atomic_load_explicit(&state.dropped, memory_order_relaxed), now_ms = clock_ms();
    char line[128], time[CLOCK_TEXT_SIZE];

    if (dropped == *reported || state.log.failing || (now_ms < told_ms + TELL_MS && !state.ending))
        return;
    told_ms = now_ms;
    clock_format_ms(time, clock_wall_ms());
    output_line(&state.log, line,
                (size_t)snprintf(line, sizeof(line),
                                 "time=%s level=warn msg=\"log lines were dropped\" lines=%llu", time,
                                 (unsigned long long)(dropped - *reported)));
    *reported = dropped;
}

static void drain_rings(uint64_t *reported)
{
    char line[RING_RECORD_MAX];
    uint8_t channel;
    size_t len;

    for (struct writer_ring *r = atomic_load_explicit(&state.rings, memory_order_acquire); r;
         r = r->next) {
        while (ring_take(&r->ring, &channel, line, &len)) {
            /* looked up after the line was taken: at least as new as what its writer saw */
            state.access.fd = atomic_load_explicit(&state.access_fd, memory_order_acquire);
            output_line(channel == CHANNEL_LOG ? &state.log : &state.access, line, len);
        }
    }
    report_dropped(reported);
    output_flush(&state.log);
    output_flush(&state.access);
}

static void *log_thread(void *arg)
{
    uint64_t reported = 0, count;

    crash_attach(arg, "log");
    for (;;) {
        bool ending = atomic_load(&state.ending);

        drain_rings(&reported);
        if (ending || (read(state.wake, &count, sizeof(count)) < 0 && errno != EINTR))
            break;
        /* what comes in the next moments is written along: one wake-up for a batch */
        if (!atomic_load(&state.ending))
            (void)poll(NULL, 0, BATCH_MS);
    }
    crash_detach(arg);
    return NULL;
}

static void wake_thread(void)
{
    uint64_t one = 1;
    ssize_t n = write(state.wake, &one, sizeof(one));

    (void)n;
}

int log_open(void)
{
    sigset_t all, before;
    int error;

    CHECK(!state.running);
    state.log.fd = STDERR_FILENO;
    state.ending = false;
    state.log.given_up = state.access.given_up = false;
    state.log.failing = state.access.failing = state.log.torn = state.access.torn = false;
    state.wake = eventfd(0, EFD_CLOEXEC);
    if (state.wake < 0)
        return -errno;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* signals are for the control thread */
    error = pthread_create(&state.thread, NULL, log_thread, &state.trail);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        close(state.wake);
    state.running = error == 0;
    return -error;
}

static void end_thread(void)
{
    struct writer_ring *r;

    state.ending = true;
    wake_thread();
    pthread_join(state.thread, NULL);
    state.running = false;
    close(state.wake);
    own_ring = NULL;
    while ((r = atomic_load(&state.rings))) {
        atomic_store(&state.rings, r->next);
        free(r);
    }
}

void log_close(void)
{
    if (state.running)
        end_thread();
    if (state.access_fd >= 0)
        close(state.access_fd);
    state.access_fd = -1;
    free(state.access_path);
    state.access_path = NULL;
}

void log_attach(void)
{
    struct writer_ring *r;

    if (own_ring || !state.running)
        return;
    r = aligned_alloc(64, (sizeof(*r) + 63) / 64 * 64);
    if (!r)
        return; /* this thread writes directly */
    atomic_init(&r->ring.written, 0);
    atomic_init(&r->ring.taken, 0);
    r->next = atomic_load_explicit(&state.rings, memory_order_relaxed);
    /* release: the log thread sees the ring as set up here */
    while (!atomic_compare_exchange_weak_explicit(&state.rings, &r->next, r, memory_order_release,
                                                  memory_order_relaxed))
        ;
    own_ring = r;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&state.level, memory_order_relaxed);
}

static void queue(uint8_t channel, struct slice line)
{
    bool was_empty;

    if (line.len > RING_RECORD_MAX)
        line.len = RING_RECORD_MAX;
    if (!ring_put(&own_ring->ring, channel, line, &was_empty))
        atomic_fetch_add_explicit(&state.dropped, 1, memory_order_relaxed);
    else if (was_empty)
        wake_thread();
}

void log_write(enum log_level level, const char *msg, const char *fmt, ...)
{
    char line[RING_RECORD_MAX];
    size_t len;
    va_list ap;

    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    len = log_line_format(line, sizeof(line) - 1, level, clock_wall_ms(), msg, fmt, ap);
    va_end(ap);
    if (own_ring) {
        queue(CHANNEL_LOG, slice_of(line, len));
        return;
    }
    line[len] = '\n';
    (void)write_all(STDERR_FILENO, line, len + 1);
}

void log_access(struct slice line)
{
    if (own_ring && atomic_load_explicit(&state.access_fd, memory_order_relaxed) >= 0)
        queue(CHANNEL_ACCESS, line);
}

/* The descriptor before is closed by nobody while the log thread may write to it: it gets the new file's number
 * instead (dup3), so every line goes to one or the other. */
static int replace_access_fd(int fd)
{
    int before = atomic_load_explicit(&state.access_fd, memory_order_relaxed);

    if (before >= 0 && fd >= 0) {
        int result = dup3(fd, before, O_CLOEXEC) < 0 ? -errno : 0;

        close(fd);
        return result;
    }
    atomic_store_explicit(&state.access_fd, fd, memory_order_release);
    if (before >= 0 && !state.running)
        close(before);
    return 0;
}

int log_open_access(const char *path)
{
    char *copy = path ? strdup(path) : NULL;
    int fd = -1, result;

    if (path)
        fd = strcmp(path, "-") == 0
                 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
    if (path && fd < 0) {
        result = -errno;
        free(copy);
        return result;
    }
    result = replace_access_fd(fd);
    free(state.access_path);
    state.access_path = copy;
    return result;
}

void log_reopen_access(void)
{
    int error = state.access_path ? log_open_access(state.access_path) : 0;
    char why[FILE_ERROR_SIZE];

    if (error)
        log_write(LOG_ERROR, "cannot open the access log, the old file stays", "file=%s error=\"%s\"",
                  state.access_path, file_error(state.access_path, -error, why));
}

uint64_t log_dropped(void)
{
    return atomic_load_explicit(&state.dropped, memory_order_relaxed);
}
