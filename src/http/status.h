/* status.h - HTTP status codes and their standard reason phrases (RFC 9110 section 15, RFC 6585).
 *
 * Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

/* "Not Found" for 404; "Unknown" for a code without a registered phrase. Static storage. */
struct slice http_status_reason(int status);

/* May an answer with this status have a body at all (not 1xx, 204, 304)? */
bool http_status_has_body(int status);
