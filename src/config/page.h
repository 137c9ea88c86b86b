/* page.h - what the proxy answers with itself, as bytes that are ready to be sent: one page for
 * each verdict, each in three formats.
 *
 * Control has pages rendered (script/vm_page.h) when scripts are loaded or maintenance is entered,
 * never for a request. What is known at request time only, a sentence of detail, goes where the
 * body has page_detail_mark.
 *
 * Thread: made, counted and freed by control; workers read the book of their snapshot, and a
 * page that something in their snapshot references. Immutable. Ownership: a page owns its bytes, a
 * book its pages. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#include "guard/verdict.h"
#endif

enum page_format { PAGE_HTML, PAGE_JSON, PAGE_TEXT, PAGE_FORMATS };

/* One format of a page. Without a detail it is whole; with one it is before, the detail in its
 * frame, after. */
struct page_body {
    struct slice whole;
    struct slice before, after; /* of whole; absent: it has no place for a detail */
};

struct page {
    unsigned refs; /* control only */
    struct page_body body[PAGE_FORMATS];
    char text[]; /* the bodies */
};

/* Every verdict that has a status has a page. */
struct page_book {
    unsigned refs; /* control only */
    struct page *page[VERDICT_COUNT];
};

/* Stands in a body where the detail goes. One character that no text has: U+FDD0. */
extern const struct slice page_detail_mark;

/* What a detail has around it: quotes in JSON, a line end in text. */
struct page_frame {
    struct slice open, close;
};

extern const struct page_frame page_detail_frame[PAGE_FORMATS];

/* A page of bodies, which are copied; at its place for the detail each has the mark in its frame,
 * once. Without a detail the mark and its frame are gone, in JSON null is there instead. */
struct page *page_new(const struct slice bodies[PAGE_FORMATS]);

/* A short page without a script's help. */
struct page *page_builtin(enum verdict verdict);

struct page *page_ref(struct page *p);
void page_unref(struct page *p); /* NULL is fine */

/* A book of built-in pages. */
struct page_book *page_book_new(void);

/* Another page for a verdict; takes the reference over. Only while nobody else has the book. */
void page_book_put(struct page_book *book, enum verdict verdict, struct page **page);

struct page_book *page_book_ref(struct page_book *book);
void page_book_unref(struct page_book *book); /* NULL is fine */

/* The format for a client that has no preference. */
enum page_format page_default_format(enum verdict verdict);
