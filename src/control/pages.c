#include "control/pages.h"

#include "base/log.h"
#include "config/page.h"
#include "control/control.h"
#include "control/scripts.h"
#include "http/status.h"
#include "script/bundle.h"
#include "script/vm_page.h"

/* A script that fails so often in a row of pages gets no further try: each may take its whole
 * budget. */
enum { FAILURES_MAX = 3 };

struct page_facts pages_facts(enum verdict verdict)
{
    const struct verdict_info *v = &verdict_table[verdict];

    return (struct page_facts){
        .kind = verdict == VERDICT_MAINTENANCE ? "maintenance" : "error",
        .status = v->status,
        .name = v->name,
        .title = http_status_reason(v->status),
        .message = v->text,
        .retry_after_s = verdict_retry_after_s(verdict),
    };
}

/* Renders into book what has a page; returns how many failed, with the first one's reason. */
static unsigned render_all(struct vm *vm, struct page_book *book, struct error *err)
{
    unsigned failures = 0;

    for (int i = 0; i < VERDICT_COUNT && failures < FAILURES_MAX; i++) {
        enum verdict verdict = (enum verdict)i;
        struct page_facts facts = pages_facts(verdict);
        struct page *page;
        struct error why;

        if (!facts.status)
            continue;
        if (!vm_render_page(vm, &facts, &page, &why)) {
            if (failures++ == 0)
                *err = why;
        } else if (page) {
            page_book_put(book, verdict, &page);
        }
    }
    return failures;
}

void pages_render(struct control *c)
{
    struct page_book *book = page_book_new();
    struct error err;

    ASSERT_CONTROL();
    if (render_all(c->vm, book, &err))
        log_write(LOG_ERROR, "built-in pages take the place of some", "reason=\"%s\"", err.text);
    page_book_unref(c->pages);
    c->pages = book;
}

struct page_book *pages_make(struct vm *vm, struct error *err)
{
    struct page_book *book = page_book_new();

    ASSERT_CONTROL();
    if (render_all(vm, book, err) == 0)
        return book;
    bundle_name_error("maintenance/page.lua", err);
    page_book_unref(book);
    return NULL;
}

bool pages_maintenance(struct control *c, struct slice service, struct slice reason,
                       uint64_t expected_end_ms, struct page **out)
{
    struct page_facts facts = pages_facts(VERDICT_MAINTENANCE);
    struct error err;
    bool ok;

    ASSERT_CONTROL();
    facts.service = service;
    facts.reason = reason;
    facts.expected_end_ms = expected_end_ms;
    ok = vm_render_page(c->vm, &facts, out, &err);
    if (!ok) {
        log_write(LOG_ERROR, "a built-in page takes the place of one for maintenance",
                  "service=\"%.*s\" reason=\"%s\"", SLICE_ARGS(service), err.text);
        scripts_note_failure(c, "page maintenance", &err);
    }
    if (!*out)
        *out = page_builtin(VERDICT_MAINTENANCE);
    return ok;
}
