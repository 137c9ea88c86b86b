/* error.h - the reason why something was refused, as a sentence for the one who asked.
 *
 * Functions that refuse return false (or NULL) and fill a struct error that the caller owns. The text is
 * one line, names the field, and goes to the other side as it is (ERROR|<text>).
 *
 * Thread: any. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#endif

struct error {
    char text[256]; /* NUL-terminated; cut when longer */
};

#ifndef FFI_CDEF
/* Sets the text, printf-style. Always false, so that a refusal is one line: return error_set(err, ...). */
static inline bool error_set(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

static inline bool error_set(struct error *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    return false;
}
#endif
