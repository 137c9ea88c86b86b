/* utf8.h - is it UTF-8? (RFC 3629: shortest form, no surrogates)
 *
 * Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stddef.h>
#endif

/* Bytes of the sequence at text, which has len > 0 bytes; 0 when there is none. */
size_t utf8_sequence(const char *text, size_t len);
