#include "base/fault_libs.h"

#ifdef TIDELOCK_FAULTS

#include "base/fault.h"

#include <ares.h>
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <sys/epoll.h>

#define LIBRARY_SITE(lib, name) static struct fault_site at_##lib##_##name = {.file = #lib, .call = #name};

LIBRARY_SITE(openssl, malloc)
LIBRARY_SITE(openssl, realloc)
LIBRARY_SITE(jansson, malloc)
LIBRARY_SITE(cares, malloc)
LIBRARY_SITE(cares, realloc)
LIBRARY_SITE(libev, epoll_ctl)
LIBRARY_SITE(libev, epoll_wait)
LIBRARY_SITE(libev, epoll_create1)

static void *openssl_take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size ? fault_malloc(&at_openssl_malloc, size) : NULL;
}

static void openssl_give(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static void *openssl_resize(void *p, size_t size, const char *file, int line)
{
    if (size)
        return fault_realloc(&at_openssl_realloc, p, size);
    openssl_give(p, file, line);
    return NULL;
}

static void *jansson_take(size_t size)
{
    return fault_malloc(&at_jansson_malloc, size);
}

static void *cares_take(size_t size)
{
    return fault_malloc(&at_cares_malloc, size);
}

static void *cares_resize(void *p, size_t size)
{
    return fault_realloc(&at_cares_realloc, p, size);
}

/* ---- libev's, found before libc's: the program's own come first. What a sanitizer does with them stays behind these. */

static typeof(&epoll_ctl) next_ctl;
static typeof(&epoll_wait) next_wait;
static typeof(&epoll_create1) next_create;

__attribute__((constructor)) static void find_next(void)
{
    next_ctl = (typeof(next_ctl))dlsym(RTLD_NEXT, "epoll_ctl");
    next_wait = (typeof(next_wait))dlsym(RTLD_NEXT, "epoll_wait");
    next_create = (typeof(next_create))dlsym(RTLD_NEXT, "epoll_create1");
}

int epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
    return op == EPOLL_CTL_ADD && fault_hit(&at_libev_epoll_ctl, ENOMEM) > 0 ? -1 : next_ctl(set, op, fd, event);
}

int epoll_wait(int set, struct epoll_event *events, int most, int timeout_ms)
{
    return fault_hit(&at_libev_epoll_wait, EINTR) > 0 ? -1 : next_wait(set, events, most, timeout_ms);
}

int epoll_create1(int flags)
{
    return fault_hit(&at_libev_epoll_create1, EMFILE) > 0 ? -1 : next_create(flags);
}

/* ---- all of them */

void fault_libs_start(void)
{
    CRYPTO_set_mem_functions(openssl_take, openssl_resize, openssl_give);
    json_set_alloc_funcs(jansson_take, free);
    /* The first initialisation counts; control/resolve.c's only adds to it. */
    (void)ares_library_init_mem(ARES_LIB_INIT_ALL, cares_take, free, cares_resize);
}

#endif
