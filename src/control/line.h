/* line.h - is a command line fit to be looked at?
 *
 * Thread: any; pure. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

/* NULL for a line of valid UTF-8 without control bytes, else what is wrong: "invalid character" or
 * "invalid utf-8", whichever comes first. */
const char *line_check(struct slice line);
