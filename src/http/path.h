/* path.h - the one form of a path: what is routed on, and what the backend gets.
 *
 * A path can be spelled in many ways that servers take for the same. So that a route, a policy or a backend's own rule cannot be
 * got around by another spelling, every path is brought into one form first (RFC 3986 6.2.2, 5.2.4):
 *
 * - Escapes of unreserved characters are decoded (%41 is A, %2e is a dot), others written with capital digits.
 * - Several slashes become one; "." and ".." segments are resolved.
 * - Refused: a percent sign without two hexadecimal digits, escaped control bytes (NUL, too), a backslash, ".." above the
 *   root, and hidden dot segments: ones that show only when parameters (behind ";" or %3B) are cut off, or when escaped separators are decoded.
 * - Escaped separators (%2F, %5C) are data of their segment and stay as they are; path_result says that there are some, since a
 *   backend that decodes them sees another path.
 *
 * The query is no part of a path: callers cut it off. Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/slice.h"
#endif

enum path_form {
    PATH_PLAIN,  /* it is in the form already */
    PATH_MADE,   /* the form was written down */
    PATH_REFUSED /* it has none */
};

struct path_result {
    size_t len;        /* bytes written, with PATH_MADE: never more than the path has */
    bool separators;   /* it holds escaped separators */
    const char *error; /* with PATH_REFUSED: a static sentence that says what is wrong */
};

/* The form of a path, which begins with a slash. out has room for path.len bytes; with PATH_PLAIN it may hold anything then. */
MUST_USE enum path_form path_normalise(struct slice path, char *out, struct path_result *result);

/* Is there anything in it that path_normalise has to look at? If not it is plain, without separators. */
bool path_is_simple(struct slice path);
