#include "base/fault_libs.h"

#ifdef TIDELOCK_FAULTS

#include "base/fault.h"

#include <ares.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>

#define LIBRARY_SITE(lib, name) static struct fault_site at_##lib##_##name = {.file = #lib, .call = #name};

LIBRARY_SITE(openssl, malloc)
LIBRARY_SITE(openssl, realloc)
LIBRARY_SITE(jansson, malloc)
LIBRARY_SITE(cares, malloc)
LIBRARY_SITE(cares, realloc)

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

void fault_libs_start(void)
{
    CRYPTO_set_mem_functions(openssl_take, openssl_resize, openssl_give);
    json_set_alloc_funcs(jansson_take, free);
    /* The first initialisation counts; control/resolve.c's only adds to it. */
    (void)ares_library_init_mem(ARES_LIB_INIT_ALL, cares_take, free, cares_resize);
}

#endif
