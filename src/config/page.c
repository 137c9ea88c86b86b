#include "config/page.h"

#include "base/check.h"

#include <stdlib.h>

struct page *page_new(struct slice text)
{
    struct page *p = calloc(1, sizeof(*p));

    ASSERT_CONTROL();
    CHECK(p);
    p->refs = 1;
    p->text = slice_of(strndup(text.data, text.len), text.len);
    CHECK(p->text.data);
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
    ASSERT_CONTROL();
    if (!p)
        return;
    CHECK(p->refs > 0);
    if (--p->refs > 0)
        return;
    free((char *)p->text.data);
    free(p);
}
