#include "http/framing.h"

#include <stddef.h>

enum phase {
    PHASE_PLAIN,     /* length or until close: all bytes are payload */
    PHASE_SIZE,      /* at the first digit of a chunk size */
    PHASE_DIGITS,    /* at a later digit */
    PHASE_SPACE,     /* behind white space: an extension has to follow */
    PHASE_EXTENSION, /* in chunk extensions, dropped */
    PHASE_LINE_LF,   /* behind the CR of a chunk line */
    PHASE_CHUNK,     /* in the payload of a chunk */
    PHASE_CHUNK_CR,  /* behind the payload */
    PHASE_CHUNK_LF,
    PHASE_TRAILERS, /* behind the last chunk's line */
    PHASE_END,
    PHASE_BAD
};

enum { SIZE_DIGITS_MAX = 16 };

void body_init(struct body *b, enum http_body_kind kind, uint64_t content_length,
               uint32_t framing_limit)
{
    *b = (struct body){.kind = (uint8_t)kind, .framing_limit = framing_limit};
    switch (kind) {
    case BODY_NONE:
        b->phase = PHASE_END;
        break;
    case BODY_LENGTH:
        b->phase = content_length ? PHASE_PLAIN : PHASE_END;
        b->left = content_length;
        break;
    case BODY_UNTIL_CLOSE:
        b->phase = PHASE_PLAIN;
        b->left = UINT64_MAX;
        break;
    case BODY_CHUNKED:
        b->phase = PHASE_SIZE;
        break;
    }
}

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What may follow a chunk size, its digits or the white space behind them. */
static enum phase after_size(unsigned char c, enum phase phase)
{
    if (c == ';')
        return PHASE_EXTENSION;
    if (c == ' ' || c == '\t')
        return PHASE_SPACE;
    return c == '\r' && phase == PHASE_DIGITS ? PHASE_LINE_LF : PHASE_BAD;
}

static enum phase at_digit(struct body *b, unsigned char c)
{
    int digit = hex_value(c);

    if (digit < 0)
        return b->phase == PHASE_DIGITS ? after_size(c, PHASE_DIGITS) : PHASE_BAD;
    if (b->framing_seen > SIZE_DIGITS_MAX)
        return PHASE_BAD;
    b->left = b->left << 4 | (uint64_t)digit;
    return PHASE_DIGITS;
}

static enum phase at_extension(unsigned char c)
{
    if (c == '\r')
        return PHASE_LINE_LF;
    return (c < 0x20 && c != '\t') || c == 0x7f ? PHASE_BAD : PHASE_EXTENSION;
}

static enum phase at_line_end(struct body *b, unsigned char c)
{
    if (c != '\n')
        return PHASE_BAD;
    b->framing_seen = 0;
    return b->left ? PHASE_CHUNK : PHASE_TRAILERS;
}

/* The phase behind one byte of framing. */
static enum phase framing_byte(struct body *b, unsigned char c)
{
    if (b->phase <= PHASE_LINE_LF && ++b->framing_seen > b->framing_limit)
        return PHASE_BAD;
    switch (b->phase) {
    case PHASE_SIZE:
    case PHASE_DIGITS:
        return at_digit(b, c);
    case PHASE_SPACE:
        return after_size(c, PHASE_SPACE);
    case PHASE_EXTENSION:
        return at_extension(c);
    case PHASE_LINE_LF:
        return at_line_end(b, c);
    case PHASE_CHUNK_CR:
        return c == '\r' ? PHASE_CHUNK_LF : PHASE_BAD;
    case PHASE_CHUNK_LF:
        return c == '\n' ? PHASE_SIZE : PHASE_BAD;
    default:
        return PHASE_BAD;
    }
}

/* Length of the trailer section at data, its empty line included; 0: not complete; -1: malformed.
 * Bytes are searched once: framing_seen is where the search goes on, and stays on the last LF once
 * found. */
static ptrdiff_t trailers_length(struct body *b, const char *data, size_t len)
{
    size_t window = len < b->framing_limit ? len : b->framing_limit;

    while (b->framing_seen < window) {
        const char *lf = memchr(data + b->framing_seen, '\n', window - b->framing_seen);
        size_t at;

        if (!lf) {
            b->framing_seen = (uint32_t)window;
            break;
        }
        at = (size_t)(lf - data);
        if (at == 0 || data[at - 1] != '\r')
            return -1;
        if (at == 1 || data[at - 2] == '\n') {
            b->framing_seen = (uint32_t)at;
            return (ptrdiff_t)at + 1;
        }
        b->framing_seen = (uint32_t)at + 1;
    }
    return window == b->framing_limit ? -1 : 0;
}

static enum body_state peek_trailers(struct body *b, const char *data, size_t len, size_t *skip,
                                     size_t *payload)
{
    ptrdiff_t n = trailers_length(b, data + *skip, len - *skip);

    if (n < 0) {
        b->phase = PHASE_BAD;
        return BODY_BAD;
    }
    if (n == 0)
        return BODY_WANT;
    if (n == 2) {
        *skip += 2;
        b->phase = PHASE_END;
        return BODY_END;
    }
    b->left = *payload = (size_t)n;
    return BODY_TRAILERS;
}

enum body_state body_peek(struct body *b, const char *data, size_t len, size_t *skip,
                          size_t *payload)
{
    *skip = *payload = 0;
    for (;;) {
        switch (b->phase) {
        case PHASE_PLAIN:
        case PHASE_CHUNK:
            *payload = len - *skip < b->left ? len - *skip : b->left;
            return *payload ? BODY_DATA : BODY_WANT;
        case PHASE_TRAILERS:
            return peek_trailers(b, data, len, skip, payload);
        case PHASE_END:
            return BODY_END;
        case PHASE_BAD:
            return BODY_BAD;
        default:
            if (*skip == len)
                return BODY_WANT;
            b->phase = (uint8_t)framing_byte(b, (unsigned char)data[(*skip)++]);
        }
    }
}

void body_consume(struct body *b, size_t n)
{
    CHECK(n <= b->left || n == 0);
    switch (b->phase) {
    case PHASE_PLAIN:
    case PHASE_CHUNK:
        b->payload += n;
        if (b->kind == BODY_UNTIL_CLOSE)
            return;
        b->left -= n;
        if (b->left == 0)
            b->phase = b->kind == BODY_LENGTH ? PHASE_END : PHASE_CHUNK_CR;
        return;
    case PHASE_TRAILERS:
        CHECK(n == 0 || n == b->left);
        if (n) {
            b->left = 0;
            b->phase = PHASE_END;
        }
        return;
    default:
        CHECK(n == 0);
    }
}

bool body_done(const struct body *b)
{
    return b->phase == PHASE_END;
}

bool body_eof(struct body *b)
{
    if (b->kind == BODY_UNTIL_CLOSE && b->phase == PHASE_PLAIN)
        b->phase = PHASE_END;
    return b->phase == PHASE_END;
}
