#include "base/need.h"

#include "base/fault.h"
#include "base/log.h"

#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { BLOCKS = 8, BLOCK_SIZE = 2 << 20 };

/* A leaf lock, taken only when memory is short. */
static struct {
    pthread_mutex_t lock;
    void *blocks[BLOCKS]; /* NULL: given back; anonymous pages that nobody touches */
    unsigned count;       /* of those that are there; they are the first */
    bool open;
    _Atomic(bool) broken; /* fewer than all */
} reserve = {.lock = PTHREAD_MUTEX_INITIALIZER};

#ifdef TIDELOCK_FAULTS
_Thread_local struct fault_site *need_site;

/* Is this call to fail at first? */
static bool first_fails(void)
{
    struct fault_site *at = need_site;

    need_site = NULL;
    return at && fault_hit(at, ENOMEM) > 0;
}
#else
#define first_fails() false
#endif

static void *new_pages(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static void fill(void)
{
    while (reserve.count < BLOCKS && (reserve.blocks[reserve.count] = new_pages(BLOCK_SIZE)))
        reserve.count++;
    atomic_store(&reserve.broken, reserve.count < BLOCKS);
}

/* The allocator refused. True: try again. */
static bool give_way(unsigned tries)
{
    unsigned left = 0;
    bool gave = false;

    pthread_mutex_lock(&reserve.lock);
    /* What was given back before may do, the first time. */
    if (tries > 0 || !atomic_load(&reserve.broken)) {
        gave = reserve.count > 0;
        if (gave)
            munmap(reserve.blocks[--reserve.count], BLOCK_SIZE);
        atomic_store(&reserve.broken, true);
        left = reserve.count;
    }
    pthread_mutex_unlock(&reserve.lock);
    if (gave)
        log_write(LOG_ERROR, "out of memory, the reserve is used", "blocks_left=%u", left);
    return gave || tries == 0;
}

static void used_up(void)
{
    check_failed("memory is left, in the reserve at least", __FILE__, __LINE__);
}

/* libev's, whose own would abort at once. */
static void *resize_for_ev(void *p, long size)
{
    if (size)
        return need_resized(p, (size_t)size);
    free(p);
    return NULL;
}

void need_open(void)
{
    pthread_mutex_lock(&reserve.lock);
    reserve.open = true;
    fill();
    pthread_mutex_unlock(&reserve.lock);
    ev_set_allocator(resize_for_ev);
}

void need_close(void)
{
    while (reserve.count)
        munmap(reserve.blocks[--reserve.count], BLOCK_SIZE);
    reserve.open = false;
    atomic_store(&reserve.broken, false);
}

bool need_whole(void)
{
    bool whole;

    if (!atomic_load_explicit(&reserve.broken, memory_order_relaxed))
        return true;
    pthread_mutex_lock(&reserve.lock);
    if (reserve.open)
        fill();
    whole = reserve.count == BLOCKS;
    pthread_mutex_unlock(&reserve.lock);
    if (whole)
        log_write(LOG_INFO, "the reserve of memory is whole again", "%s", "");
    return whole;
}

bool(need_room)(size_t bytes)
{
    void *p;

    if (first_fails())
        return false;
    if (bytes <= BLOCK_SIZE)
        return true; /* the reserve has it */
    p = new_pages(bytes);
    if (p)
        munmap(p, bytes);
    return p != NULL;
}

void *(need)(size_t size)
{
    void *p = first_fails() ? NULL : (malloc)(size ? size : 1);

    for (unsigned tries = 0; !p; p = (malloc)(size ? size : 1)) {
        if (!give_way(tries++))
            used_up();
    }
    return p;
}

void *(need_zeroed)(size_t count, size_t size)
{
    void *p;

    CHECK(!size || count <= SIZE_MAX / 2 / size);
    p = first_fails() ? NULL : (calloc)(count ? count : 1, size ? size : 1);
    for (unsigned tries = 0; !p; p = (calloc)(count ? count : 1, size ? size : 1)) {
        if (!give_way(tries++))
            used_up();
    }
    return p;
}

void *(need_aligned)(size_t alignment, size_t size)
{
    void *p = first_fails() ? NULL : (aligned_alloc)(alignment, size);

    for (unsigned tries = 0; !p; p = (aligned_alloc)(alignment, size)) {
        if (!give_way(tries++))
            used_up();
    }
    return p;
}

void *(need_resized)(void *old, size_t size)
{
    void *p = first_fails() ? NULL : (realloc)(old, size ? size : 1);

    for (unsigned tries = 0; !p; p = (realloc)(old, size ? size : 1)) {
        if (!give_way(tries++))
            used_up();
    }
    return p;
}

char *(need_copy)(struct slice text)
{
    char *copy = (need)(text.len + 1);

    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

char *(need_text)(const char *text)
{
    return (need_copy)(slice_str(text));
}

char *(need_printf)(const char *fmt, ...)
{
    va_list ap;
    char *text;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    CHECK(len >= 0);
    text = (need)((size_t)len + 1);
    va_start(ap, fmt);
    (void)vsnprintf(text, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return text;
}

/* ---- the stream */

struct stream {
    char **text;
    size_t *len;
    size_t cap;
};

static ssize_t stream_write(void *cookie, const char *bytes, size_t size)
{
    struct stream *s = cookie;

    if (*s->len + size + 1 > s->cap) {
        s->cap = 2 * (*s->len + size + 1);
        *s->text = (need_resized)(*s->text, s->cap);
    }
    memcpy(*s->text + *s->len, bytes, size);
    *s->len += size;
    (*s->text)[*s->len] = '\0';
    return (ssize_t)size;
}

/* For ftell alone. */
static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    struct stream *s = cookie;

    if (whence != SEEK_CUR || *offset != 0)
        return -1;
    *offset = (off64_t)*s->len;
    return 0;
}

static int stream_close(void *cookie)
{
    free(cookie);
    return 0;
}

FILE *(need_stream)(char **text, size_t *len)
{
    static const cookie_io_functions_t functions = {
        .write = stream_write, .seek = stream_seek, .close = stream_close};
    struct stream *s = (need_zeroed)(1, sizeof(*s));
    FILE *file;

    *s = (struct stream){text, len, 64};
    *text = (need_zeroed)(1, s->cap);
    *len = 0;
    file = fopencookie(s, "w", functions);
    for (unsigned tries = 0; !file; file = fopencookie(s, "w", functions)) {
        if (!give_way(tries++))
            used_up();
    }
    return file;
}
