/* route_body.h - the texts of a route as its service described it, immutable: a set and its copies share them, so that a
 * draft of ten thousand routes costs no copies of their texts, and what did not change is told by looking at a pointer.
 *
 * Thread: control, and tools before it runs; one at a time. Ownership: counted; one block of memory. */
#pragma once
#include "base/check.h"
#include "base/error.h"
#include "base/slice.h"
#include "config/url.h"

struct route_fields;

struct route_body {
    unsigned refs;
    unsigned domain_count;
    char **domains;       /* lower case, NUL-terminated, at least one */
    struct slice *places; /* for each domain what a route may not have in common with another of its set */
    char *path;           /* as given */
    char *form;           /* the same in the form in which requests are matched: http/path.h */
    char *backend_url;
    struct url url; /* slices into backend_url */
};

/* Checks domains, path and URL; NULL: err says what is wrong. One reference. */
MUST_USE struct route_body *route_body_new(const struct route_fields *fields, struct error *err);

struct route_body *route_body_ref(struct route_body *body);
void route_body_unref(struct route_body *body); /* NULL is fine */
