/* h2_fields.h - the fields of one HTTP/2 head or trailer section, collected as HPACK gives them.
 *
 * Cookie crumbs that follow each other become one field as they come (RFC 9113 8.2.3); empty ones add nothing to it.
 *
 * Thread: any; no state but what is passed. Ownership: the text's block is the caller's. FFI-clean. */
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

/* The field at *at (text.start at first), which moves on to the next; false at the end. */
bool h2_fields_next(const struct h2_fields *f, uint32_t *at, struct slice *name, struct slice *value);

/* May this be a name (a token in lower case), a value (without white space at its ends)? Is it the name of cookies? */
bool h2_is_name(struct slice name);
bool h2_is_value(struct slice value);
bool h2_is_cookie(struct slice name);

/* Appends the fields to out as an HTTP/1 trailer section with its empty line. False: a field that no trailer may be, or no
 * room. */
MUST_USE bool h2_trailer_section(const struct h2_fields *f, struct buf *out);
