/* ws_frame.h - where a stream of WebSocket frames stands (RFC 6455 section 5), from its bytes as they pass.
 *
 * It follows boundaries only: payload is neither looked at nor copied. One such stream for each direction: a client's frames
 * are masked, a server's are not. What is no frame makes it lost: the two ends may make of it what they like,
 * but where a message ends cannot be told any more. Opcodes that the RFC reserves and non-minimal lengths count as such;
 * the reserved bits do not, since extensions use them.
 *
 * Thread: any; pure. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

enum {
    WS_GOING_AWAY = 1001,
    WS_REASON_MAX = 48,                   /* bytes of a reason that we give */
    WS_CLOSE_MAX = 2 + 4 + 2 + WS_REASON_MAX /* bytes of a close frame that we compose */
};

struct ws_stream {
    uint8_t phase;     /* private to ws_frame.c */
    uint8_t opcode;    /* of the frame at hand */
    uint8_t more;      /* bytes of its extended length and mask that are still to come */
    uint8_t length_bytes; /* those of them that are length */
    uint8_t length_form;  /* 126 or 127: which extended length */
    bool masked;       /* frames have to be masked; else they must not be */
    bool final;        /* the frame at hand ends its message */
    bool in_message;   /* between the first byte of a message's first frame and the last of its last */
    bool closed;       /* a close frame has passed whole */
    bool lost;         /* this is no WebSocket */
    uint64_t left;     /* payload bytes of the frame that are still to come */
};

/* At the first byte of its first frame. */
void ws_stream_init(struct ws_stream *s, bool masked);

/* len bytes pass. */
void ws_stream_pass(struct ws_stream *s, const char *data, size_t len);

/* How many of these bytes, which come next, belong to what is in progress: the message, or a control frame. 0: the
 * stream is between messages. All of them when the stream is lost. Changes nothing. */
MUST_USE size_t ws_stream_rest(const struct ws_stream *s, const char *data, size_t len);

/* May a message begin here: between messages, and at a frame's first byte? False once lost. */
MUST_USE bool ws_stream_between_messages(const struct ws_stream *s);

/* May a control frame be put in here: between frames? False once lost. */
MUST_USE bool ws_stream_between_frames(const struct ws_stream *s);

/* Composes a close frame with this code and reason (cut at WS_REASON_MAX bytes) in out[WS_CLOSE_MAX]. mask: the key of a frame
 * to a server; NULL: to a client. Returns its length. */
size_t ws_close_frame(char *out, unsigned code, const char *reason, const uint8_t *mask);
