/* WebSocket frames: where a stream stands that came in pieces is what a look at the whole says. */
#include "http/ws_frame.h"
#include "base/random.h"
#include "spec/fuzz/fuzz.h"

#include <stdlib.h>

/* Where a stream stands. */
struct place {
    bool lost, closed, in_message, at_frame;
};

/* The payload's length, of the head at data with head bytes in all. */
static uint64_t payload_length(struct slice s, size_t extended)
{
    uint64_t n = 0;

    for (size_t i = 0; i < extended; i++)
        n = n << 8 | (uint8_t)s.data[2 + i];
    return extended ? n : (uint8_t)s.data[1] & 0x7f;
}

/* Is the first byte that of a frame that may come here? */
static bool may_start(uint8_t first, bool in_message)
{
    unsigned opcode = first & 15;

    if (opcode >= 8)
        return opcode <= 10 && first & 0x80;
    return opcode <= 2 && (opcode == 0) == in_message;
}

/* Bytes of the frame at the front; 0: it is cut. Sets what it does to the place, also when it is cut. */
static size_t frame(struct slice s, bool masked, struct place *p)
{
    uint8_t first = (uint8_t)s.data[0], second = s.len > 1 ? (uint8_t)s.data[1] : 0;
    size_t extended = (second & 0x7f) == 127 ? 8 : (second & 0x7f) == 126 ? 2 : 0;
    size_t head = 2 + extended + (masked ? 4 : 0);
    bool control = first & 8;
    uint64_t payload;

    p->lost = !may_start(first, p->in_message);
    if (p->lost)
        return 0;
    p->in_message = p->in_message || !control;
    if (s.len < 2)
        return 0;
    p->lost = (second >> 7) != masked || (control && extended);
    if (p->lost || s.len < head)
        return 0;
    payload = payload_length(s, extended);
    p->lost = payload >> 63 || (extended == 2 && payload < 126) || (extended == 8 && payload < 65536);
    if (p->lost || s.len - head < payload)
        return 0;
    p->closed = (first & 15) == 8;
    if (!control && first & 0x80)
        p->in_message = false;
    return head + payload;
}

static struct place model(struct slice s, bool masked)
{
    struct place p = {.at_frame = true};

    while (s.len && p.at_frame) {
        size_t n = frame(s, masked, &p);

        p.at_frame = n && !p.closed;
        s = slice_skip(s, n);
    }
    return p;
}

/* What ws_stream_rest says is the shortest way to where nothing is in progress. */
static void check_rest(const struct ws_stream *s, struct slice ahead)
{
    struct ws_stream before = *s, behind = *s;
    size_t n = ws_stream_rest(s, ahead.data, ahead.len);

    CHECK(n <= ahead.len);
    CHECK(!s->lost || n == ahead.len);
    ws_stream_pass(&behind, ahead.data, n);
    CHECK(n == ahead.len || behind.closed || ws_stream_between_messages(&behind));
    if (n == 0 || s->lost)
        return;
    ws_stream_pass(&before, ahead.data, n - 1);
    CHECK(!before.closed && !ws_stream_between_messages(&before));
}

static void check_close(struct slice reason, bool masked)
{
    static const uint8_t MASK[] = {1, 2, 3, 4};
    char text[WS_REASON_MAX + 8] = {0}, out[WS_CLOSE_MAX];
    struct ws_stream s;
    size_t len = reason.len < sizeof(text) ? reason.len : sizeof(text) - 1;

    memcpy(text, reason.data, len);
    len = ws_close_frame(out, WS_GOING_AWAY, text, masked ? MASK : NULL);
    CHECK(len <= sizeof(out));
    ws_stream_init(&s, masked);
    ws_stream_pass(&s, out, len - 1);
    CHECK(!s.closed && !s.lost);
    ws_stream_pass(&s, out + len - 1, 1);
    CHECK(s.closed && !s.lost);
}

void fuzz_ws_frame(struct slice input)
{
    uint8_t choice = fuzz_take(&input);
    bool masked = choice & 1;
    struct place want = model(input, masked);
    struct slice rest = input;
    struct random random;
    struct ws_stream s;

    random_init(&random, choice);
    ws_stream_init(&s, masked);
    while (rest.len) {
        struct slice piece = fuzz_copy(slice_of(rest.data, 1 + random_next(&random) % rest.len));

        check_rest(&s, piece);
        ws_stream_pass(&s, piece.data, piece.len);
        rest = slice_skip(rest, piece.len);
        free((void *)piece.data);
    }
    CHECK(s.lost == want.lost && s.closed == want.closed);
    if (!want.lost)
        CHECK(s.in_message == want.in_message);
    CHECK(ws_stream_between_frames(&s) == want.at_frame);
    CHECK(ws_stream_between_messages(&s) == (want.at_frame && !want.in_message));
    check_close(input, masked);
}
