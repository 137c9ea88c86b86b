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
    CHECK(fuzz_same(a->host, b->host) && fuzz_same(a->host_name, b->host_name));
    CHECK(fuzz_same(a->reason, b->reason));
    CHECK(a->body == b->body && a->content_length == b->content_length);
    CHECK(a->keep_alive == b->keep_alive && a->expect_continue == b->expect_continue);
    CHECK(a->te_trailers == b->te_trailers && a->upgrade == b->upgrade);
    check_same_fields(a, b);
}

void heads_check_fields(const struct http_head *head)
{
    struct slice name, port;

    CHECK(!head->host.len || (http_split_authority(head->host, &name, &port) && slice_eq(name, head->host_name)));
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *f = &head->fields[i];

        CHECK(f->name.len && http_is_token(f->name));
        CHECK(http_is_field_value(f->value));
        CHECK(slice_eq(slice_trim(f->value), f->value));
        CHECK(!memchr(f->value.data, '\r', f->value.len) && !memchr(f->value.data, '\n', f->value.len));
        CHECK(f->id == http_field_id(f->name));
        CHECK(f->id == FIELD_OTHER || http_head_may_have(head, (enum http_field_id)f->id));
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

/* ---- requests of HTTP/2 */

enum { SIZE = 16 * 1024 };

static bool is_written(const struct http_field *f)
{
    return !f->hop_by_hop && f->id != FIELD_HOST;
}

/* As forward.c composes it: what is about the connection stays out, the host comes first. */
static struct slice write_request(const struct http_head *head, char *block)
{
    struct buf buf = {.data = block, .cap = SIZE};
    struct writer w = writer_on(&buf);

    write_slice(&w, head->method_text);
    write_literal(&w, " ");
    write_slice(&w, head->target);
    write_literal(&w, " HTTP/1.1\r\n");
    write_field(&w, SLICE("Host"), head->host);
    for (unsigned i = 0; i < head->field_count; i++) {
        if (is_written(&head->fields[i]))
            write_field(&w, head->fields[i].name, head->fields[i].value);
    }
    write_literal(&w, "\r\n");
    CHECK(!w.overflow);
    return slice_of(block, buf.end);
}

void heads_check_request(const struct http_head *head)
{
    static struct http_head again;
    static char block[SIZE];
    struct slice text = write_request(head, block);
    struct http_scan scan = {0};
    const char *error = NULL;
    unsigned at = 1;
    size_t used;

    CHECK(http_parse_request(&again, text.data, text.len, &scan, &heads_wide, &used, &error) == PARSE_DONE);
    CHECK(used == text.len);
    CHECK(slice_eq(again.method_text, head->method_text) && again.method == head->method);
    CHECK(slice_eq(again.target, head->target) && slice_eq(again.path, head->path));
    CHECK(slice_eq(again.host, head->host) && slice_eq(again.host_name, head->host_name));
    CHECK(again.content_length == head->content_length);
    CHECK((again.body == BODY_LENGTH) == (head->body == BODY_LENGTH) || head->connect);
    CHECK(again.expect_continue == head->expect_continue);
    for (unsigned i = 0; i < head->field_count; i++) {
        if (!is_written(&head->fields[i]))
            continue;
        CHECK(at < again.field_count && !again.fields[at].hop_by_hop);
        CHECK(slice_eq(again.fields[at].name, head->fields[i].name));
        CHECK(slice_eq(again.fields[at].value, head->fields[i].value));
        at++;
    }
    CHECK(at == again.field_count);
}
