#include "http/ws_frame.h"

#include <string.h>

enum phase {
    PHASE_FIRST,   /* at the first byte of a frame */
    PHASE_LENGTH,  /* at the second */
    PHASE_HEAD,    /* in the extended length or the mask */
    PHASE_PAYLOAD,
    PHASE_END      /* lost, or behind a close frame: nothing is looked at any more */
};

enum {
    BIT_FINAL = 0x80,
    BIT_MASK = 0x80,
    OPCODE_CONTINUATION = 0,
    OPCODE_BINARY = 2,
    OPCODE_CLOSE = 8,
    OPCODE_PONG = 10,
    CONTROL_MAX = 125,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
    MASK_BYTES = 4
};

void ws_stream_init(struct ws_stream *s, bool masked)
{
    *s = (struct ws_stream){.masked = masked};
}

static bool is_control(const struct ws_stream *s)
{
    return s->opcode >= OPCODE_CLOSE;
}

static void lose(struct ws_stream *s)
{
    s->lost = true;
    s->phase = PHASE_END;
}

static void end_frame(struct ws_stream *s)
{
    s->phase = PHASE_FIRST;
    if (s->opcode == OPCODE_CLOSE) {
        s->closed = true;
        s->phase = PHASE_END;
    } else if (!is_control(s) && s->final) {
        s->in_message = false;
    }
}

static void first_byte(struct ws_stream *s, uint8_t byte)
{
    s->opcode = byte & 0x0f;
    s->final = (byte & BIT_FINAL) != 0;
    s->phase = PHASE_LENGTH;
    if (is_control(s)) {
        if (s->opcode > OPCODE_PONG || !s->final)
            lose(s);
        return;
    }
    if (s->opcode > OPCODE_BINARY || (s->opcode == OPCODE_CONTINUATION) != s->in_message) {
        lose(s);
        return;
    }
    s->in_message = true;
}

static void start_payload(struct ws_stream *s)
{
    bool too_long = s->left >> 63 || (s->length_form == LENGTH_16 && s->left < LENGTH_16) ||
                    (s->length_form == LENGTH_64 && s->left <= UINT16_MAX);

    if (too_long)
        lose(s);
    else if (s->left)
        s->phase = PHASE_PAYLOAD;
    else
        end_frame(s);
}

static void length_byte(struct ws_stream *s, uint8_t byte)
{
    uint8_t length = byte & 0x7f;

    if (((byte & BIT_MASK) != 0) != s->masked || (is_control(s) && length > CONTROL_MAX)) {
        lose(s);
        return;
    }
    s->length_form = length < LENGTH_16 ? 0 : length;
    s->length_bytes = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
    s->left = s->length_bytes ? 0 : length;
    s->more = (uint8_t)(s->length_bytes + (s->masked ? MASK_BYTES : 0));
    s->phase = PHASE_HEAD;
    if (!s->more)
        start_payload(s);
}

static void head_byte(struct ws_stream *s, uint8_t byte)
{
    if (s->length_bytes) {
        s->left = s->left << 8 | byte;
        s->length_bytes--;
    }
    if (--s->more == 0)
        start_payload(s);
}

/* Passes one byte of a head, or as much payload as there is. Returns how many bytes that were. */
static size_t advance(struct ws_stream *s, const char *data, size_t len)
{
    uint8_t byte = (uint8_t)data[0];

    switch (s->phase) {
    case PHASE_FIRST:
        first_byte(s, byte);
        return 1;
    case PHASE_LENGTH:
        length_byte(s, byte);
        return 1;
    case PHASE_HEAD:
        head_byte(s, byte);
        return 1;
    case PHASE_PAYLOAD:
        if (len > s->left)
            len = s->left;
        s->left -= len;
        if (!s->left)
            end_frame(s);
        return len;
    default:
        return len;
    }
}

void ws_stream_pass(struct ws_stream *s, const char *data, size_t len)
{
    for (size_t at = 0; at < len;)
        at += advance(s, data + at, len - at);
}

size_t ws_stream_rest(const struct ws_stream *s, const char *data, size_t len)
{
    struct ws_stream ahead = *s;
    size_t at = 0;

    while (at < len && !ahead.closed && !ws_stream_between_messages(&ahead))
        at += advance(&ahead, data + at, len - at);
    return at;
}

bool ws_stream_between_messages(const struct ws_stream *s)
{
    return s->phase == PHASE_FIRST && !s->in_message;
}

bool ws_stream_between_frames(const struct ws_stream *s)
{
    return s->phase == PHASE_FIRST;
}

size_t ws_close_frame(char *out, unsigned code, const char *reason, const uint8_t *mask)
{
    size_t reason_len = strlen(reason), head = mask ? 2 + MASK_BYTES : 2;
    char *payload = out + head;

    if (reason_len > WS_REASON_MAX)
        reason_len = WS_REASON_MAX;
    out[0] = (char)(BIT_FINAL | OPCODE_CLOSE);
    out[1] = (char)((2 + reason_len) | (mask ? BIT_MASK : 0));
    payload[0] = (char)(code >> 8);
    payload[1] = (char)(code & 0xff);
    memcpy(payload + 2, reason, reason_len);
    if (mask) {
        memcpy(out + 2, mask, MASK_BYTES);
        for (size_t i = 0; i < 2 + reason_len; i++)
            payload[i] = (char)(payload[i] ^ mask[i % MASK_BYTES]);
    }
    return head + 2 + reason_len;
}
