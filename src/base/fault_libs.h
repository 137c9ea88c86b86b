/* fault_libs.h - the allocators of libraries as sites of base/fault.h: openssl:malloc, openssl:realloc,
 * jansson:malloc, cares:malloc, cares:realloc. Nothing in a release build; nghttp2's is http/h2_mem.h's.
 *
 * Thread: control, before any of these libraries is used. */
#pragma once

#ifdef TIDELOCK_FAULTS
/* Sets the allocators, which hold for the process. */
void fault_libs_start(void);
#endif
