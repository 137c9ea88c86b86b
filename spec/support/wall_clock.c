/* wall_clock.c - preloaded into a program, it makes the wall clock what a spec says; no other clock is touched.
 *
 * The file that TIDELOCK_WALL_CLOCK names holds the seconds that CLOCK_REALTIME is off by, a 64-bit integer. It is mapped
 * when the program starts, so a step is there at once, in a sandbox, too. Bare system calls: sanitizers are not up yet. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t none;
static const volatile int64_t *step_s = &none;

__attribute__((constructor)) static void open_step(void)
{
    const char *path = getenv("TIDELOCK_WALL_CLOCK");
    long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    long at = fd >= 0 ? syscall(SYS_mmap, NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0) : -1;

    if (at == -1)
        abort();
    step_s = (const volatile int64_t *)at;
    syscall(SYS_close, fd);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, id, now);

    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += *step_s;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec ts;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &ts);
    *now = (struct timeval){ts.tv_sec, ts.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    if (out)
        *out = ts.tv_sec;
    return ts.tv_sec;
}
