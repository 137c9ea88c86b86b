/* h2_wire.h - reads what an HTTP/2 session sends: are these frames, in an order that RFC 9113 allows, and does each body have
 * the bytes that it was to have?
 *
 * Aborts (CHECK) when something is wrong.
 *
 * Thread: one. Ownership: the caller's memory. */
#pragma once
#include "base/slice.h"
#include <stdint.h>

enum {
    H2_WIRE_STREAMS = 4096, /* that it follows; frames of others are not looked at */
    H2_BODY_MAX = 100 * 1024
};

/* What a stream has sent. */
struct h2_wire_stream {
    uint32_t body;  /* bytes of it */
    bool open;      /* it may send */
    bool headed;    /* a head was sent */
    bool ended;     /* END_STREAM was sent */
    bool was_reset; /* RST_STREAM was sent */
};

struct h2_wire {
    struct h2_wire_stream streams[H2_WIRE_STREAMS]; /* by id */
    uint8_t head[9];
    unsigned head_len;      /* bytes of it so far */
    uint32_t left;          /* bytes of the payload that are to come */
    uint32_t preface_left;  /* bytes of the preface */
    uint64_t frames;
    int32_t continues;      /* the stream whose head is not complete; 0: none */
    bool said_goodbye;
};

/* preface: it sends that first. */
void h2_wire_init(struct h2_wire *wire, bool preface);

/* These bytes were sent. */
void h2_wire_pass(struct h2_wire *wire, struct slice bytes);

/* It is between two frames. */
bool h2_wire_is_between(const struct h2_wire *wire);

/* The stream with this id; NULL: it is not followed. */
struct h2_wire_stream *h2_wire_stream(struct h2_wire *wire, int32_t id);

/* Up to len bytes of the body that stream id sends, from byte at on. */
struct slice h2_wire_body(int32_t id, uint32_t at, uint32_t len);
