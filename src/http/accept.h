/* accept.h - which of several media types the Accept fields of a request prefer (RFC 9110 12.5.1).
 *
 * The range that says most about a type (a type, then all of its kind, then anything) gives its
 * weight. Of types with equal weight the one named more exactly wins, then the one named first,
 * then the fallback. Parameters other than q do not count: what is offered has no variants.
 *
 * Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

enum { ACCEPT_TYPES_MAX = 8 };

/* The index of the preferred one of types ("text/html", at most ACCEPT_TYPES_MAX). values: those of
 * all Accept fields, in order. Ranges that cannot be understood are passed over; fallback when
 * nothing is left, or nothing on offer is acceptable. */
unsigned accept_choose(const struct slice *values, unsigned value_count, const struct slice *types,
                       unsigned type_count, unsigned fallback);
