/* pages.h - has the proxy's own pages rendered, and keeps the book of them for the next snapshot.
 *
 * Thread: control. Ownership: struct control owns a reference to the newest book, c->pages;
 * snapshots have theirs. */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include "guard/verdict.h"
#include "script/vm_page.h"
#include <stdint.h>

struct control;
struct page;
struct page_book;
struct vm;

/* What the page of a verdict that has a status says, without what services say. */
struct page_facts pages_facts(enum verdict verdict);

/* Renders every verdict's page by the scripts in c->vm; snapshots from now on carry them. Where the
 * script fails the built-in page stays, which is logged. */
void pages_render(struct control *c);

/* The pages by the scripts of a VM that need not be in service, a reference of the caller's. NULL: not every
 * page could be made, err says why. */
struct page_book *pages_make(struct vm *vm, struct error *err);

/* The page of something in maintenance, a reference of the caller's. service and reason may be
 * absent, and hold anything; expected_end_ms: wall clock, 0: unknown. Where the script fails it is
 * the built-in page, which is logged, and false is returned. May be called while a command runs. */
bool pages_maintenance(struct control *c, struct slice service, struct slice reason,
                       uint64_t expected_end_ms, struct page **out);
