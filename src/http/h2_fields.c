#include "http/h2_fields.h"

#include "http/write.h"

/* Before each field in the text. */
struct mark {
    uint32_t name_len, value_len;
};

enum { LINE_OVERHEAD = 4 }; /* ": " and a line end */

bool h2_is_cookie(struct slice name)
{
    return name.len == 6 && memcmp(name.data, "cookie", 6) == 0;
}

bool h2_is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 'A' && name.data[i] <= 'Z')
            return false;
    return http_is_token(name);
}

bool h2_is_value(struct slice value)
{
    return http_is_field_value(value) && slice_trim(value).len == value.len;
}

static bool fits(struct h2_fields *f, size_t bytes, size_t size, const struct http_limits *limits)
{
    f->too_big = f->too_big || buf_room(&f->text) < bytes || f->size + size > limits->head_size;
    return !f->too_big;
}

/* Behind another cookie: "; value" is appended to it. */
static bool joins_last(const struct h2_fields *f, struct slice name, struct mark *last)
{
    if (!f->count || !h2_is_cookie(name))
        return false;
    memcpy(last, f->text.data + f->last, sizeof(*last));
    return h2_is_cookie(slice_of(f->text.data + f->last + sizeof(*last), last->name_len));
}

static void append(struct h2_fields *f, struct slice text)
{
    CHECK(buf_append(&f->text, text.data, text.len));
}

void h2_fields_add(struct h2_fields *f, struct slice name, struct slice value,
                   const struct http_limits *limits)
{
    struct mark mark;

    if (joins_last(f, name, &mark)) {
        /* An empty crumb adds nothing: the field would end with a blank. */
        struct slice between = value.len && mark.value_len ? SLICE("; ") : SLICE("");
        size_t more = between.len + value.len;

        if (!fits(f, more, more, limits))
            return;
        mark.value_len += (uint32_t)more;
        memcpy(f->text.data + f->last, &mark, sizeof(mark));
        append(f, between);
        append(f, value);
        f->size += (uint32_t)more;
        return;
    }
    if (!fits(f, sizeof(mark) + name.len + value.len, name.len + value.len + LINE_OVERHEAD, limits))
        return;
    mark = (struct mark){(uint32_t)name.len, (uint32_t)value.len};
    f->last = f->text.end;
    append(f, slice_of((const char *)&mark, sizeof(mark)));
    append(f, name);
    append(f, value);
    f->count++;
    f->size += (uint32_t)(name.len + value.len) + LINE_OVERHEAD;
}

bool h2_fields_next(const struct h2_fields *f, uint32_t *at, struct slice *name, struct slice *value)
{
    struct mark mark;

    if (*at >= f->text.end)
        return false;
    memcpy(&mark, f->text.data + *at, sizeof(mark));
    *name = slice_of(f->text.data + *at + sizeof(mark), mark.name_len);
    *value = slice_of(name->data + name->len, mark.value_len);
    *at += (uint32_t)sizeof(mark) + mark.name_len + mark.value_len;
    return true;
}

bool h2_fields_are_head(const struct h2_fields *f)
{
    return f->count && f->text.data[f->text.start + sizeof(struct mark)] == ':';
}

bool h2_trailer_section(const struct h2_fields *f, struct buf *out)
{
    struct writer w = writer_on(out);
    struct slice name, value;
    uint32_t at = f->text.start;

    if (f->too_big)
        return false;
    while (h2_fields_next(f, &at, &name, &value)) {
        if (!h2_is_name(name) || !h2_is_value(value))
            return false;
        write_field(&w, name, value);
    }
    write_literal(&w, "\r\n");
    return !w.overflow;
}
