/* h2_head.h - message heads of HTTP/2 (RFC 9113 section 8): from the fields that HPACK gave to a struct http_head, and
 * to a trailer section as HTTP/1 has it.
 *
 * Fields are collected as they are decoded and read in one go when the head is complete, as strictly as http/parse.h reads
 * HTTP/1: what comes out can be written to an HTTP/1 backend as it is. Refused are pseudo-header fields that are unknown,
 * repeated, missing, empty or behind others; names that are no token or not in lower case; control bytes and white space at
 * the ends of values; Connection and its like; TE other than trailers; Host that disagrees with :authority; and what
 * parse.h refuses of Host, Content-Length and targets. Cookie crumbs that follow each other become one field as they come,
 * others when the head is read (8.2.3).
 *
 * Thread: any; no state but what is passed. Ownership: slices in a head point into the fields' text or to constants.
 * FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/buf.h"
#include "http/parse.h"
#endif

struct h2_fields {
    struct buf text; /* the caller's block; fields one after the other */
    uint32_t count;  /* fields so far */
    uint32_t size;   /* bytes that they would have in HTTP/1 */
    uint32_t last;   /* where in text the last field starts */
    bool too_big;    /* something did not fit, and is missing */
};

/* Adds a field, as long as it fits in limits and block; else, and from then on, only sets too_big. */
void h2_fields_add(struct h2_fields *f, struct slice name, struct slice value,
                   const struct http_limits *limits);

/* Do they start with a pseudo-header field, as heads do and trailers do not? */
bool h2_fields_are_head(const struct h2_fields *f);

/* Reads a request's head. ends: no body follows. PARSE_BAD, PARSE_HEAD_TOO_BIG or PARSE_TARGET_TOO_BIG: *error is a static
 * sentence, and method, path and host are filled as far as they could be read. Never PARSE_MORE. */
MUST_USE enum parse h2_head_request(struct http_head *head, struct h2_fields *f, bool ends,
                                    const struct http_limits *limits, const char **error);

/* Reads a response's head, 1xx included. method: of the request. */
MUST_USE enum parse h2_head_response(struct http_head *head, struct h2_fields *f, bool ends,
                                     enum method method, const char **error);

/* Appends the fields to out as an HTTP/1 trailer section with its empty line. False: a field that no trailer may be, or no
 * room. */
MUST_USE bool h2_trailer_section(const struct h2_fields *f, struct buf *out);
