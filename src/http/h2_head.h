/* h2_head.h - message heads of HTTP/2 (RFC 9113 section 8): from collected fields to a struct http_head.
 *
 * Fields are collected as they are decoded and read in one go when the head is complete, as strictly as http/parse.h reads
 * HTTP/1: what comes out can be written to an HTTP/1 backend as it is. Refused are pseudo-header fields that are unknown,
 * repeated, missing, empty or behind others; names that are no token or not in lower case; control bytes and white space at
 * the ends of values; Connection and its like; TE other than trailers; Host that disagrees with :authority; and what
 * parse.h refuses of Host, Content-Length and targets. Cookie crumbs become one field (8.2.3). Extended CONNECT (RFC 8441)
 * becomes what HTTP/1 has in its place: a GET with Upgrade.
 *
 * Thread: any; no state but what is passed. Ownership: slices in a head point into the fields' text or to constants.
 * FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "http/h2_fields.h"
#endif

/* Reads a request's head. ends: no body follows. PARSE_BAD, PARSE_HEAD_TOO_BIG or PARSE_TARGET_TOO_BIG: *error is a static
 * sentence, and method, path and host are filled as far as they could be read. Never PARSE_MORE. */
MUST_USE enum parse h2_head_request(struct http_head *head, struct h2_fields *f, bool ends,
                                    const struct http_limits *limits, const char **error);

/* Reads a response's head, 1xx included. method: of the request. */
MUST_USE enum parse h2_head_response(struct http_head *head, struct h2_fields *f, bool ends,
                                     enum method method, const char **error);
