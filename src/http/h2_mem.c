#include "http/h2_mem.h"

#include "base/need.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

static void *take(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void *take_zeroed(size_t count, size_t size, void *user)
{
    (void)user;
    return calloc(count, size);
}

static void *resize(void *p, size_t size, void *user)
{
    (void)user;
    return need_resized(p, size);
}

static void give(void *p, void *user)
{
    (void)user;
    free(p);
}

void *h2_mem(void)
{
    static nghttp2_mem mem = {NULL, take, give, take_zeroed, resize};

    return &mem;
}
