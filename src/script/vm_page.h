/* vm_page.h - pages, rendered by scripts/maintenance/page.lua in all formats.
 *
 * Thread: control. Also while a command runs: rendering is a call of its own within the command's.
 */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include <stdint.h>

struct page;
struct vm;

/* What a page says. Texts are borrowed; those of services may hold anything. */
struct page_facts {
    const char *kind; /* "error" or "maintenance" */
    int status;
    struct slice name;        /* the verdict's: "circuit_open" */
    struct slice title;       /* the status's reason phrase */
    struct slice message;     /* a sentence for the client */
    struct slice service;     /* absent or empty: unknown */
    struct slice reason;      /* that the service gave; absent or empty: none */
    uint64_t expected_end_ms; /* wall clock; 0: unknown */
    unsigned retry_after_s;   /* 0: not said */
};

/* Renders a page; the caller owns it. True with *out NULL: there is no script for pages. False: the
 * script failed, err says where. */
MUST_USE bool vm_render_page(struct vm *vm, const struct page_facts *facts, struct page **out,
                             struct error *err);
