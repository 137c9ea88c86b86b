/* start_line.h - the first line of a message: request line or status line (RFC 9112 sections 3 and
 * 4).
 *
 * Strict: single spaces, no white space around, "HTTP/1.x" in capitals. Part of http/parse.c;
 * nobody else calls it.
 *
 * Thread: any; no state. Ownership: slices in the head point into line, or to a constant. */
#pragma once
#include "http/parse.h"

/* Fills the request line part of *head, minor and authority included, from a line without its line
 * end. PARSE_DONE, or PARSE_BAD or PARSE_VERSION and *error, a static sentence. */
MUST_USE enum parse start_line_request(struct http_head *head, struct slice line,
                                       const char **error);

/* The same for status, reason and minor. A status is any number from 100 to 999; the reason may be
 * empty, and its space missing. */
MUST_USE enum parse start_line_response(struct http_head *head, struct slice line,
                                        const char **error);
