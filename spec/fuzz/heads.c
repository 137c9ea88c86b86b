#include "spec/fuzz/heads.h"

#include "spec/fuzz/fuzz.h"

const struct http_limits heads_wide = {64 * 1024, HTTP_FIELDS_MAX, 64 * 1024};

static void check_same_fields(const struct http_head *a, const struct http_head *b)
{
    CHECK(a->field_count == b->field_count);
    for (unsigned i = 0; i < a->field_count; i++) {
        const struct http_field *f = &a->fields[i], *g = &b->fields[i];

        CHECK(fuzz_same(f->name, g->name));
        CHECK(slice_eq(f->value, g->value));
        CHECK(f->id == g->id && f->hop_by_hop == g->hop_by_hop);
    }
}

void heads_check_same(const struct http_head *a, const struct http_head *b)
{
    CHECK(a->method == b->method && a->status == b->status && a->minor == b->minor);
    CHECK(fuzz_same(a->method_text, b->method_text));
    CHECK(fuzz_same(a->target, b->target));
    CHECK(fuzz_same(a->path, b->path));
    CHECK(fuzz_same(a->authority, b->authority));
    CHECK(fuzz_same(a->host, b->host));
    CHECK(fuzz_same(a->reason, b->reason));
    CHECK(a->body == b->body && a->content_length == b->content_length);
    CHECK(a->keep_alive == b->keep_alive && a->expect_continue == b->expect_continue);
    CHECK(a->te_trailers == b->te_trailers && a->upgrade == b->upgrade);
    check_same_fields(a, b);
}

void heads_check_fields(const struct http_head *head)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *f = &head->fields[i];

        CHECK(f->name.len && http_is_token(f->name));
        CHECK(http_is_field_value(f->value));
        CHECK(slice_eq(slice_trim(f->value), f->value));
        CHECK(!memchr(f->value.data, '\r', f->value.len) && !memchr(f->value.data, '\n', f->value.len));
        CHECK(f->id == http_field_id(f->name));
    }
}

void heads_write_fields(struct writer *w, const struct http_head *head, enum http_field_id without)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *f = &head->fields[i];

        if (without == FIELD_OTHER || f->id != without)
            write_field(w, f->name, f->value);
    }
    write_literal(w, "\r\n");
    CHECK(!w->overflow);
}
