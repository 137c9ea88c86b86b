#include "config/page.h"

#include "base/check.h"
#include "base/need.h"
#include "http/status.h"

#include <stdio.h>
#include <stdlib.h>

#define MARK "\xef\xb7\x90"

enum { BUILTIN_MAX = 1024 };

const struct slice page_detail_mark = SLICE_INIT(MARK);

const struct page_frame page_detail_frame[PAGE_FORMATS] = {
    [PAGE_HTML] = {SLICE_INIT(""), SLICE_INIT("")},
    [PAGE_JSON] = {SLICE_INIT("\""), SLICE_INIT("\"")},
    [PAGE_TEXT] = {SLICE_INIT(""), SLICE_INIT("\n")},
};

/* The mark in its frame, and what is there without a detail. */
static const struct {
    struct slice mark, nothing;
} places[PAGE_FORMATS] = {
    [PAGE_HTML] = {SLICE_INIT(MARK), SLICE_INIT("")},
    [PAGE_JSON] = {SLICE_INIT("\"" MARK "\""), SLICE_INIT("null")},
    [PAGE_TEXT] = {SLICE_INIT(MARK "\n"), SLICE_INIT("")},
};

static char *put(char *to, struct slice s)
{
    memcpy(to, s.data, s.len);
    return to + s.len;
}

/* Copies one body to the given place; returns where it ends. */
static char *put_body(struct page_body *body, enum page_format format, struct slice text, char *to)
{
    struct slice mark = places[format].mark, nothing = places[format].nothing;
    const char *at = memmem(text.data, text.len, mark.data, mark.len);
    size_t before = at ? (size_t)(at - text.data) : text.len;
    char *start = to, *after;

    to = put(to, slice_of(text.data, before));
    if (at) {
        after = put(to, nothing);
        to = put(after, slice_of(at + mark.len, text.len - before - mark.len));
        body->before = slice_of(start, before);
        body->after = slice_of(after, (size_t)(to - after));
    }
    body->whole = slice_of(start, (size_t)(to - start));
    return to;
}

struct page *page_new(const struct slice bodies[PAGE_FORMATS])
{
    size_t size = 0;
    struct page *p;
    char *to;

    ASSERT_CONTROL();
    for (int i = 0; i < PAGE_FORMATS; i++)
        size += bodies[i].len + places[i].nothing.len;
    p = need_zeroed(1, sizeof(*p) + size);
    p->refs = 1;
    to = p->text;
    for (int i = 0; i < PAGE_FORMATS; i++)
        to = put_body(&p->body[i], (enum page_format)i, bodies[i], to);
    return p;
}

struct page *page_ref(struct page *p)
{
    ASSERT_CONTROL();
    CHECK(p->refs > 0);
    p->refs++;
    return p;
}

void page_unref(struct page *p)
{
    if (!p)
        return;
    ASSERT_CONTROL();
    CHECK(p->refs > 0);
    if (--p->refs == 0)
        free(p);
}

struct page *page_builtin(enum verdict verdict)
{
    const struct verdict_info *v = &verdict_table[verdict];
    struct slice reason = http_status_reason(v->status);
    char text[PAGE_FORMATS][BUILTIN_MAX];
    struct slice bodies[PAGE_FORMATS];
    int len[PAGE_FORMATS];

    len[PAGE_HTML] =
        snprintf(text[PAGE_HTML], BUILTIN_MAX,
                 "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                 "<title>%d %.*s</title></head>\n"
                 "<body><h1>%d %.*s</h1><p>%.*s</p><p>" MARK "</p></body></html>\n",
                 v->status, SLICE_ARGS(reason), v->status, SLICE_ARGS(reason), SLICE_ARGS(v->text));
    len[PAGE_JSON] = snprintf(text[PAGE_JSON], BUILTIN_MAX,
                              "{\"error\":\"%.*s\",\"status\":%d,\"message\":\"%.*s\","
                              "\"detail\":\"" MARK "\"%s}\n",
                              SLICE_ARGS(v->name), v->status, SLICE_ARGS(v->text),
                              verdict == VERDICT_MAINTENANCE
                                  ? ",\"service\":null,\"reason\":null,\"expected_end\":null"
                                  : "");
    len[PAGE_TEXT] = verdict == VERDICT_DRAINING
                         ? snprintf(text[PAGE_TEXT], BUILTIN_MAX, "Draining")
                         : snprintf(text[PAGE_TEXT], BUILTIN_MAX, "%d %.*s\n%.*s\n" MARK "\n",
                                    v->status, SLICE_ARGS(reason), SLICE_ARGS(v->text));
    for (int i = 0; i < PAGE_FORMATS; i++) {
        CHECK(len[i] > 0 && len[i] < BUILTIN_MAX);
        bodies[i] = slice_of(text[i], (size_t)len[i]);
    }
    return page_new(bodies);
}

struct page_book *page_book_new(void)
{
    struct page_book *book = need_zeroed(1, sizeof(*book));

    ASSERT_CONTROL();
    book->refs = 1;
    for (int i = 0; i < VERDICT_COUNT; i++) {
        if (verdict_table[i].status)
            book->page[i] = page_builtin((enum verdict)i);
    }
    return book;
}

void page_book_put(struct page_book *book, enum verdict verdict, struct page **page)
{
    ASSERT_CONTROL();
    CHECK(book->refs == 1 && book->page[verdict]);
    page_unref(book->page[verdict]);
    book->page[verdict] = *page;
    *page = NULL;
}

struct page_book *page_book_ref(struct page_book *book)
{
    ASSERT_CONTROL();
    CHECK(book->refs > 0);
    book->refs++;
    return book;
}

void page_book_unref(struct page_book *book)
{
    if (!book)
        return;
    ASSERT_CONTROL();
    CHECK(book->refs > 0);
    if (--book->refs > 0)
        return;
    for (int i = 0; i < VERDICT_COUNT; i++)
        page_unref(book->page[i]);
    free(book);
}

enum page_format page_default_format(enum verdict verdict)
{
    return verdict == VERDICT_DRAINING ? PAGE_TEXT : PAGE_HTML;
}
