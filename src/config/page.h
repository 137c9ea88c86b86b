/* page.h - a page that the proxy sends by itself, rendered ahead.
 *
 * Thread: made, referenced and freed by control; read by workers through a snapshot, which holds a
 * reference. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

struct page {
    unsigned refs;     /* control only */
    struct slice text; /* owned, constant */
};

/* A page with a copy of the text and one reference. */
struct page *page_new(struct slice text);
struct page *page_ref(struct page *p);
void page_unref(struct page *p); /* NULL is fine */
