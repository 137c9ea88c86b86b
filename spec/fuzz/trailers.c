/* Trailers: of HTTP/1 as any head's fields, written again they read the same; and what HTTP/2 hands over as a section is one. */
#include "http/h2_fields.h"
#include "spec/fuzz/fuzz.h"
#include "spec/fuzz/heads.h"

enum { SIZE = 8 * 1024 };

static struct slice write_section(const struct http_head *head, char *block)
{
    struct buf buf = {.data = block, .cap = SIZE};
    struct writer w = writer_on(&buf);

    heads_write_fields(&w, head, FIELD_OTHER);
    return slice_of(block, buf.end);
}

static void check_section(struct slice section)
{
    static struct http_head head, again;
    static char block[SIZE];
    const char *error = NULL;
    enum parse result = http_parse_trailers(&head, section, &heads_wide, &error);

    CHECK(result != PARSE_MORE);
    if (result != PARSE_DONE) {
        CHECK(error);
        return;
    }
    heads_check_fields(&head);
    for (unsigned i = 0; i < head.field_count; i++)
        CHECK(head.fields[i].id == FIELD_OTHER || head.fields[i].hop_by_hop);
    CHECK(http_parse_trailers(&again, write_section(&head, block), &heads_wide, &error) == PARSE_DONE);
    CHECK(again.field_count == head.field_count);
    for (unsigned i = 0; i < head.field_count; i++) {
        CHECK(slice_eq(again.fields[i].name, head.fields[i].name));
        CHECK(slice_eq(again.fields[i].value, head.fields[i].value));
        CHECK(again.fields[i].hop_by_hop == head.fields[i].hop_by_hop);
    }
}

/* http-parser reads these in trailers, too, and refuses what is no length or coding: nothing that could pass is lost. */
static bool names_framing(const struct h2_fields *fields)
{
    struct slice name, value;
    uint32_t at = 0;

    while (h2_fields_next(fields, &at, &name, &value))
        if (slice_eq_nocase(name, SLICE("content-length")) || slice_eq_nocase(name, SLICE("transfer-encoding")))
            return true;
    return false;
}

/* "name NUL value NUL ..." as fields of HTTP/2. */
static void check_h2(struct slice input)
{
    static struct http_head head;
    static char text[SIZE], block[SIZE];
    struct h2_fields fields = {.text = {.data = text, .cap = sizeof(text)}};
    struct buf out = {.data = block, .cap = sizeof(block)};
    struct slice name, value;
    const char *error = NULL;
    uint32_t at = 0;

    while (fields.count < HTTP_FIELDS_MAX && slice_split(&input, 0, &name) && slice_split(&input, 0, &value))
        h2_fields_add(&fields, name, value, &heads_wide);
    if (!h2_trailer_section(&fields, &out))
        return;
    if (http_parse_trailers(&head, slice_of(block, out.end), &heads_wide, &error) != PARSE_DONE) {
        CHECK(error && names_framing(&fields));
        return;
    }
    CHECK(head.field_count == fields.count);
    for (unsigned i = 0; i < head.field_count; i++) {
        CHECK(h2_fields_next(&fields, &at, &name, &value));
        CHECK(slice_eq(head.fields[i].name, name) && slice_eq(head.fields[i].value, value));
    }
}

void fuzz_trailers(struct slice input)
{
    if (fuzz_take(&input) & 1)
        check_h2(input);
    else
        check_section(input);
}
