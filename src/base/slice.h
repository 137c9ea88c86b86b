/* slice.h - a piece of text that somebody else owns: pointer and length, no terminating NUL.
 *
 * Thread: any. Ownership: a slice owns nothing; who hands one out says how long it stays valid.
 * An absent slice has data == NULL, an empty one has data != NULL and len == 0. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#endif

struct slice {
    const char *data; /* first byte, or NULL when absent */
    size_t len;       /* bytes */
};

#ifndef FFI_CDEF
/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
/* The same as an initializer of static data. */
#define SLICE_INIT(literal) {(literal), sizeof(literal) - 1}
/* printf("%.*s", SLICE_ARGS(s)) */
#define SLICE_ARGS(s) (int)(s).len, (s).data

static inline struct slice slice_of(const char *data, size_t len)
{
    return (struct slice){data, len};
}

/* The whole of a NUL-terminated string; absent for NULL. */
static inline struct slice slice_str(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Equal but for the case of ASCII letters. */
static inline bool slice_eq_nocase(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

/* Without its first n bytes. */
static inline struct slice slice_skip(struct slice s, size_t n)
{
    return (struct slice){s.data + n, s.len - n};
}

/* Its first max bytes at most, without cutting a character of UTF-8: what is shown of a text in an answer. */
static inline struct slice slice_cut(struct slice s, size_t max)
{
    if (s.len > max) {
        s.len = max;
        while (s.len && ((unsigned char)s.data[s.len] & 0xc0) == 0x80)
            s.len--;
    }
    return s;
}

/* Without spaces and tabs at both ends. */
static inline struct slice slice_trim(struct slice s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Takes the part before the next sep off the front of *rest into *part; false when *rest is absent. An
 * input without sep gives one part and leaves *rest absent; "a," gives "a" and then "". */
static inline bool slice_split(struct slice *rest, char sep, struct slice *part)
{
    const char *at;

    if (!rest->data)
        return false;
    at = rest->len ? memchr(rest->data, sep, rest->len) : NULL;
    if (!at) {
        *part = *rest;
        *rest = (struct slice){NULL, 0};
        return true;
    }
    *part = (struct slice){rest->data, (size_t)(at - rest->data)};
    rest->len -= part->len + 1;
    rest->data = at + 1;
    return true;
}
#endif
