/* media_type.h - is a Content-Type one of a list of types and families of types?
 *
 * A pattern is a type ("application/json"), a kind ("text" and a slash and a star), or a structured syntax ("+json",
 * RFC 6839). Case and parameters do not count.
 *
 * Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

/* content_type: the value of the field, absent: false. */
bool media_type_in(struct slice content_type, const struct slice *patterns, unsigned count);

/* Can text be such a pattern? */
bool media_type_is_pattern(struct slice text);
