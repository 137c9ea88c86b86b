/* Heads of HTTP/2: a request that is taken, written as HTTP/1, is one, and says the same. */
#include "http/h2_head.h"
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/heads.h"

enum { SIZE = 16 * 1024, ENDS = 1, RESPONSE = 2 };

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

static void check_request(const struct http_head *head)
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
    CHECK(slice_eq(again.host, head->host));
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

void fuzz_h2_head(struct slice input)
{
    static struct http_head head;
    static char text[SIZE];
    struct h2_fields fields = {.text = {.data = text, .cap = sizeof(text)}};
    uint8_t choice = fuzz_take(&input);
    struct slice name, value;
    const char *error = NULL;
    enum parse result;

    while (fields.count + 2 < HTTP_FIELDS_MAX && slice_split(&input, 0, &name) && slice_split(&input, 0, &value))
        h2_fields_add(&fields, name, value, &heads_wide);
    if (choice & RESPONSE)
        result = h2_head_response(&head, &fields, choice & ENDS, (enum method)(choice >> 4) % (METHOD_OTHER + 1),
                                  &error);
    else
        result = h2_head_request(&head, &fields, choice & ENDS, &heads_wide, &error);
    CHECK(result != PARSE_MORE && (result == PARSE_DONE) == !error);
    if (result != PARSE_DONE)
        return;
    heads_check_fields(&head);
    CHECK(!(choice & ENDS) || head.body == BODY_NONE || head.content_length == 0);
    if (choice & RESPONSE)
        CHECK(head.status >= 100 && head.status <= 999);
    else
        check_request(&head);
}
