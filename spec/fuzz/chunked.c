/* Chunked bodies: what http/framing.h makes of one, in pieces of any size, is what a decoder that has it whole makes of it. */
#include "base/random.h"
#include "http/framing.h"
#include "spec/fuzz/fuzz.h"

#include <stdlib.h>

enum { INPUT_MAX = 64 * 1024 };

/* What came of a body. */
struct decoded {
    enum body_state state; /* BODY_WANT: it is cut */
    size_t payload_len;
    char payload[INPUT_MAX];
    struct slice trailers;
    size_t rest; /* offset of what follows, with BODY_END */
};

static int hex(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) % 16 : -1;
}

/* The length of the chunk line at the front with its line end; 0: it is cut, -1: it is none. */
static long line_length(struct slice s, uint32_t limit, uint64_t *size)
{
    size_t i = 0;
    bool extension = false;

    *size = 0;
    for (; i < s.len && hex(s.data[i]) >= 0; i++) {
        if (i == 16 || i == limit)
            return -1;
        *size = *size * 16 + (uint64_t)hex(s.data[i]);
    }
    if (i == 0 && s.len)
        return -1;
    for (size_t blanks = i; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (i == limit)
            return -1;
        if (!extension && (c == ' ' || c == '\t'))
            continue;
        if (!extension && c == ';') {
            extension = true;
            continue;
        }
        if (c == '\r' && (extension || i == blanks)) {
            if (i + 1 == s.len)
                return 0;
            return s.data[i + 1] == '\n' && i + 1 < limit ? (long)i + 2 : -1;
        }
        if (!extension || (c < 32 && c != '\t') || c == 127)
            return -1;
    }
    return 0;
}

static void decode_trailers(struct decoded *d, struct slice s, size_t at, uint32_t limit)
{
    size_t line = 0;

    for (size_t i = 0; i < s.len && i < limit; i++) {
        if (s.data[i] != '\n')
            continue;
        if (i == 0 || s.data[i - 1] != '\r') {
            d->state = BODY_BAD;
            return;
        }
        if (i - 1 == line) {
            d->state = BODY_END;
            d->trailers = slice_of(s.data, i > 1 ? i + 1 : 0);
            d->rest = at + i + 1;
            return;
        }
        line = i + 1;
    }
    d->state = s.len >= limit ? BODY_BAD : BODY_WANT;
}

static void decode(struct decoded *d, struct slice s, uint32_t limit)
{
    size_t at = 0;

    for (;;) {
        struct slice rest = slice_skip(s, at);
        uint64_t size;
        long line = line_length(rest, limit, &size);
        size_t len;

        d->state = line < 0 ? BODY_BAD : BODY_WANT;
        if (line <= 0)
            return;
        at += (size_t)line;
        if (size == 0) {
            decode_trailers(d, slice_skip(s, at), at, limit);
            return;
        }
        len = s.len - at < size ? s.len - at : size;
        memcpy(d->payload + d->payload_len, s.data + at, len);
        d->payload_len += len;
        at += len;
        for (const char *end = "\r\n"; *end; end++, at++) {
            if (at == s.len)
                return;
            if (s.data[at] != *end) {
                d->state = BODY_BAD;
                return;
            }
        }
    }
}

/* Takes what is payload of data[start, end), or of trailers; returns where the next look starts. */
static size_t take(struct decoded *d, struct body *b, struct slice s, size_t start, size_t end, uint64_t most)
{
    struct slice window = fuzz_copy(slice_of(s.data + start, end - start));
    size_t skip, payload;

    d->state = body_peek(b, window.data, window.len, &skip, &payload);
    CHECK(skip + payload <= window.len);
    CHECK(payload == 0 || d->state == BODY_DATA || d->state == BODY_TRAILERS);
    start += skip;
    if (d->state == BODY_TRAILERS)
        d->trailers = slice_of(s.data + start, payload);
    if (d->state == BODY_DATA) {
        payload = payload < most ? payload : most;
        memcpy(d->payload + d->payload_len, s.data + start, payload);
        d->payload_len += payload;
    }
    if (payload)
        body_consume(b, payload);
    free((void *)window.data);
    return start + payload;
}

static void decode_in_pieces(struct decoded *d, struct slice s, uint32_t limit, uint64_t seed)
{
    struct random random;
    struct body b;
    size_t start = 0, end = 0;

    random_init(&random, seed);
    body_init(&b, BODY_CHUNKED, 0, limit);
    for (;;) {
        start = take(d, &b, s, start, end, 1 + random_next(&random) % 8);
        if (d->state == BODY_END || d->state == BODY_BAD)
            break;
        if (d->state != BODY_WANT)
            continue;
        if (end == s.len)
            break;
        end += 1 + random_next(&random) % (s.len - end);
    }
    d->rest = start;
    CHECK(body_done(&b) == (d->state == BODY_END));
    CHECK(b.payload == d->payload_len);
}

void fuzz_chunked(struct slice input)
{
    static struct decoded model, real;
    uint8_t choice = fuzz_take(&input);
    uint32_t limit = choice & 1 ? 24 : 4096;

    if (input.len > INPUT_MAX)
        return;
    model.payload_len = real.payload_len = 0;
    model.trailers = real.trailers = slice_of(NULL, 0);
    decode(&model, input, limit);
    decode_in_pieces(&real, input, limit, choice);
    CHECK(real.state == model.state);
    CHECK(real.payload_len == model.payload_len);
    CHECK(memcmp(real.payload, model.payload, model.payload_len) == 0);
    if (model.state != BODY_END)
        return;
    CHECK(slice_eq(real.trailers, model.trailers));
    CHECK(real.rest == model.rest);
}
