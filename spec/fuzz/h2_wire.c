#include "spec/fuzz/h2_wire.h"

#include "base/check.h"
#include "base/hash.h"

#include <string.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, END_HEADERS = 4, FRAME_SIZE = 16 * 1024, SHIFTS = 251 };

static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

void h2_wire_init(struct h2_wire *wire, bool preface)
{
    memset(wire, 0, sizeof(*wire));
    wire->preface_left = preface ? sizeof(PREFACE) - 1 : 0;
}

struct h2_wire_stream *h2_wire_stream(struct h2_wire *wire, int32_t id)
{
    return id > 0 && id < H2_WIRE_STREAMS ? &wire->streams[id] : NULL;
}

struct slice h2_wire_body(int32_t id, uint32_t at, uint32_t len)
{
    static char bytes[H2_BODY_MAX + SHIFTS];

    if (!bytes[0]) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (char)hash_u64(i);
        bytes[0] = 'x';
    }
    CHECK(at + len <= H2_BODY_MAX);
    return slice_of(bytes + (uint32_t)id % SHIFTS + at, len);
}

bool h2_wire_is_between(const struct h2_wire *wire)
{
    return !wire->head_len && !wire->left && !wire->preface_left && !wire->continues;
}

static int32_t id_of(const uint8_t *head)
{
    return (int32_t)((uint32_t)(head[5] & 0x7f) << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8]);
}

/* One of a stream's: it was opened, and neither it nor the session has ended. */
static void check_stream_frame(struct h2_wire *wire, uint8_t type, uint8_t flags, int32_t id)
{
    struct h2_wire_stream *s = h2_wire_stream(wire, id);

    CHECK(id > 0);
    if (!s)
        return;
    if (type == RST_STREAM) {
        CHECK(!s->was_reset);
        s->was_reset = true;
    }
    if (type != DATA && type != HEADERS)
        return;
    CHECK(s->open && !s->ended && !s->was_reset);
    CHECK(s->headed || type == HEADERS);
    s->headed = true;
    s->ended = flags & END_STREAM;
}

static void check_head(struct h2_wire *wire)
{
    uint8_t type = wire->head[3], flags = wire->head[4];
    int32_t id = id_of(wire->head);

    CHECK(wire->left <= FRAME_SIZE && !(wire->head[5] & 0x80));
    CHECK(wire->frames++ || (type == SETTINGS && !flags));
    CHECK(type == CONTINUATION ? wire->continues == id && id : !wire->continues);
    switch (type) {
    case DATA:
    case HEADERS:
    case RST_STREAM:
        CHECK(!(flags & ~(END_STREAM | (type == HEADERS ? END_HEADERS : 0)))); /* no padding, no priority */
        CHECK(type != RST_STREAM || (wire->left == 4 && !flags));
        check_stream_frame(wire, type, flags, id);
        break;
    case CONTINUATION:
        break;
    case SETTINGS:
    case PING:
    case GOAWAY:
        CHECK(id == 0);
        break;
    default:
        CHECK(type == WINDOW_UPDATE && wire->left == 4);
    }
    if (type == HEADERS || type == CONTINUATION)
        wire->continues = flags & END_HEADERS ? 0 : id;
}

static void check_payload(struct h2_wire *wire, struct slice bytes)
{
    int32_t id = id_of(wire->head);
    struct h2_wire_stream *s = h2_wire_stream(wire, id);

    if (wire->head[3] != DATA || !s)
        return;
    CHECK(slice_eq(bytes, h2_wire_body(id, s->body, (uint32_t)bytes.len)));
    s->body += (uint32_t)bytes.len;
}

static size_t pass_preface(struct h2_wire *wire, struct slice bytes)
{
    size_t n = bytes.len < wire->preface_left ? bytes.len : wire->preface_left;

    CHECK(memcmp(bytes.data, PREFACE + sizeof(PREFACE) - 1 - wire->preface_left, n) == 0);
    wire->preface_left -= (uint32_t)n;
    return n;
}

void h2_wire_pass(struct h2_wire *wire, struct slice bytes)
{
    if (wire->preface_left)
        bytes = slice_skip(bytes, pass_preface(wire, bytes));
    while (bytes.len) {
        if (wire->head_len < sizeof(wire->head)) {
            wire->head[wire->head_len++] = (uint8_t)bytes.data[0];
            bytes = slice_skip(bytes, 1);
            if (wire->head_len < sizeof(wire->head))
                continue;
            wire->left = (uint32_t)wire->head[0] << 16 | (uint32_t)wire->head[1] << 8 | wire->head[2];
            check_head(wire);
        } else {
            struct slice part = slice_of(bytes.data, bytes.len < wire->left ? bytes.len : wire->left);

            check_payload(wire, part);
            wire->left -= (uint32_t)part.len;
            bytes = slice_skip(bytes, part.len);
        }
        if (!wire->left)
            wire->head_len = 0;
    }
}
