/* accept_encoding.h - which content coding a client wants, of those that can be had (RFC 9110 12.5.3).
 *
 * The heaviest coding on offer wins, of equal ones the first on offer. It has to weigh something, and no less than
 * identity does where that is named; identity that only "*" speaks of, or nothing, gives way to any coding. A coding
 * named twice counts with the lesser weight. What is malformed is passed over. Without the field, and
 * where nothing on offer is wanted, the answer stays as it is, even if identity is refused: the RFC would rather have
 * that than no answer.
 *
 * Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

enum { ACCEPT_ENCODING_OFFERS_MAX = 8 };

/* The index of the preferred one of offers ("br", at most ACCEPT_ENCODING_OFFERS_MAX, the proxy's favourite first), or
 * offer_count for none. values: those of all Accept-Encoding fields. */
unsigned accept_encoding_choose(const struct slice *values, unsigned value_count, const struct slice *offers,
                                unsigned offer_count);
