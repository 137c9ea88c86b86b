/* fault_libs.h - the allocators of libraries as sites of base/fault.h: openssl:malloc, jansson:malloc, cares:malloc,
 * nghttp2:malloc, nghttp2:calloc, nghttp2:realloc and so on. Nothing in a release build.
 *
 * Thread: control, before any of these libraries is used. */
#pragma once

#include <stddef.h>

#ifdef TIDELOCK_FAULTS
/* Sets the allocators that hold for the process. */
void fault_libs_start(void);

/* A nghttp2_mem for sessions of nghttp2, which get theirs one by one. */
void *fault_nghttp2(void);
#else
static inline void *fault_nghttp2(void)
{
    return NULL; /* nghttp2's own */
}
#endif
