/* log_line.h - the text of one log line: time, level, message, key=value part; one line whatever is in it.
 *
 * Thread: any. */
#pragma once
#include "base/log.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the line without its newline into out; returns its length. A line that does not fit ends in "...". */
size_t log_line_format(char *out, size_t size, enum log_level level, uint64_t wall_ms,
                       const char *msg, const char *fmt, va_list ap);
