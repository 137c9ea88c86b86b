#include "http/write.h"

#include "http/status.h"

struct slice write_digits(char digits[WRITE_DIGITS], uint64_t n)
{
    char *p = digits + WRITE_DIGITS;

    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    return slice_of(p, (size_t)(digits + WRITE_DIGITS - p));
}

void write_uint(struct writer *w, uint64_t n)
{
    char digits[WRITE_DIGITS];

    write_slice(w, write_digits(digits, n));
}

void write_fields(struct writer *w, const struct field_list *fields)
{
    char *p = buf_tail(w->buf);
    const char *end = w->buf->data + w->buf->cap;

    for (unsigned i = 0; i < fields->count; i++) {
        struct slice name = fields->field[i].name, value = fields->field[i].value;

        if (UNLIKELY((size_t)(end - p) < name.len + value.len + strlen(": \r\n"))) {
            w->overflow = true;
            break;
        }
        p = write_field_at(p, name, value);
    }
    w->buf->end = (uint32_t)(p - w->buf->data);
}

void write_status_line(struct writer *w, int status, struct slice reason)
{
    const struct slice start = SLICE("HTTP/1.1 "), end = SLICE("\r\n");
    char *p = buf_tail(w->buf);

    CHECK(status >= 100 && status <= 999);
    if (!reason.data)
        reason = http_status_reason(status);
    if (buf_room(w->buf) < start.len + strlen("999 ") + reason.len + end.len) {
        w->overflow = true;
        return;
    }
    memcpy(p, start.data, start.len);
    p += start.len;
    *p++ = (char)('0' + status / 100);
    *p++ = (char)('0' + status / 10 % 10);
    *p++ = (char)('0' + status % 10);
    *p++ = ' ';
    memcpy(p, reason.data, reason.len);
    p += reason.len;
    memcpy(p, end.data, end.len);
    w->buf->end = (uint32_t)(p + end.len - w->buf->data);
}

void write_upgrade(struct writer *w, struct slice protocol)
{
    write_literal(w, "Connection: upgrade\r\n");
    write_field(w, SLICE("Upgrade"), protocol);
}

size_t write_chunk_line(char out[CHUNK_LINE_SIZE], uint64_t size)
{
    size_t digits = 1;

    while (digits < 16 && size >> (4 * digits))
        digits++;
    for (size_t i = digits; i > 0; i--, size >>= 4)
        out[i - 1] = "0123456789abcdef"[size & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}
