/* write.h - composing heads and chunk lines into a struct buf.
 *
 * A writer appends to the free part of a buffer and remembers when something did not fit, so
 * callers check once, at the end. Each call appends all of its text or nothing; later, shorter text
 * may still fit.
 *
 * Thread: the buffer's. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/buf.h"
#include "http/field_list.h"
#include <stdint.h>
#endif

struct writer {
    struct buf *buf; /* the caller's */
    bool overflow;   /* something did not fit; the buffer ends with the last thing that did */
};

#ifndef FFI_CDEF
/* A writer that appends to b, which holds a block. */
static inline struct writer writer_on(struct buf *b)
{
    return (struct writer){b, false};
}

/* s as it is. */
static inline void write_slice(struct writer *w, struct slice s)
{
    if (UNLIKELY(buf_room(w->buf) < s.len)) {
        w->overflow = true;
        return;
    }
    if (s.len == 0)
        return;
    memcpy(w->buf->data + w->buf->end, s.data, s.len);
    w->buf->end += (uint32_t)s.len;
}

/* A string literal. */
#define write_literal(w, text) write_slice((w), SLICE(text))

/* "name: value\r\n" at p, where there is room for it; returns what comes behind it. */
static inline char *write_field_at(char *p, struct slice name, struct slice value)
{
    memcpy(p, name.data, name.len);
    p += name.len;
    *p++ = ':';
    *p++ = ' ';
    if (value.len)
        memcpy(p, value.data, value.len);
    p += value.len;
    *p++ = '\r';
    *p++ = '\n';
    return p;
}

/* "name: value\r\n" */
static inline void write_field(struct writer *w, struct slice name, struct slice value)
{
    if (UNLIKELY(buf_room(w->buf) < name.len + value.len + strlen(": \r\n"))) {
        w->overflow = true;
        return;
    }
    w->buf->end = (uint32_t)(write_field_at(buf_tail(w->buf), name, value) - w->buf->data);
}
#endif

enum { WRITE_DIGITS = 20 };

/* n in decimal, in the end of digits. */
struct slice write_digits(char digits[WRITE_DIGITS], uint64_t n);

/* A number in decimal. */
void write_uint(struct writer *w, uint64_t n);

/* The fields of a list, as write_field writes each. Of one that does not fit nothing is written, nor of those behind it. */
void write_fields(struct writer *w, const struct field_list *fields);

/* "HTTP/1.1 404 Not Found\r\n"; an absent reason is filled in. */
void write_status_line(struct writer *w, int status, struct slice reason);

/* The fields that ask for a protocol, or agree to it. */
void write_upgrade(struct writer *w, struct slice protocol);

enum { CHUNK_LINE_SIZE = 20 };

/* "1a2b\r\n" into out; returns its length. */
size_t write_chunk_line(char out[CHUNK_LINE_SIZE], uint64_t size);
