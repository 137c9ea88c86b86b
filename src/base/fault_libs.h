/* fault_libs.h - the allocators of libraries as sites of base/fault.h: openssl:malloc, openssl:realloc,
 * jansson:malloc, cares:malloc, cares:realloc; and libev's calls of epoll, which nobody else makes, as libev:epoll_ctl (only
 * those that add a descriptor, as no other can fail), libev:epoll_wait, libev:epoll_create1. Nothing in a release build;
 * nghttp2's is http/h2_mem.h's.
 *
 * Thread: control, before any of these libraries is used. */
#pragma once

#ifdef TIDELOCK_FAULTS
/* Sets the allocators, which hold for the process. */
void fault_libs_start(void);
#endif
