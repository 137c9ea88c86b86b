/* relay.h - moves a body from a source to a sink, with back pressure and bounded memory.
 *
 * A source is a codec's body reader over what a connection received, a sink a codec's body writer; neither side
 * knows the other's wire format. Nothing is moved that the sink cannot take, so the source's buffer fills
 * and its connection pauses.
 *
 * Thread: the worker's. Ownership: source and sink belong to the request. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include "http/framing.h"
#include <stdint.h>

struct http_field;
struct request;

enum relay_state {
    RELAY_WANT,     /* the source has to receive more first */
    RELAY_BLOCKED,  /* the sink takes nothing more now */
    RELAY_DONE,     /* the whole body, trailers included, is with the sink and flushed */
    RELAY_BAD,      /* the source's framing is malformed */
    RELAY_BROKEN,   /* the sink's connection is broken */
    RELAY_TOO_BIG   /* more payload than limit */
};

struct source_ops {
    /* What is next: BODY_DATA or BODY_TRAILERS with the bytes in *payload; *more: further bytes are already there. */
    enum body_state (*peek)(void *source, struct slice *payload, bool *more);
    /* n bytes of the payload were moved. */
    void (*consume)(void *source, size_t n);
};

struct sink_ops {
    /* Sends up to all of data; returns how much was taken. more: do not hurry, further data follows at once. */
    size_t (*send)(void *sink, struct slice data, bool more);
    /* The body is complete; trailers may be NULL. Called once. */
    void (*end)(void *sink, const struct http_head *trailers);
    /* Sends what is queued. RELAY_DONE: all is out; RELAY_BLOCKED or RELAY_BROKEN. */
    enum relay_state (*flush)(void *sink);
};

struct relay {
    const struct source_ops *from;
    void *source;
    const struct sink_ops *to;
    void *sink;
    struct http_head *trailers; /* scratch to parse trailers in */
    /* May a trailer pass that RFC 9110 lets pass? NULL: it may. */
    bool (*passes)(const struct request *rq, const struct http_field *trailer);
    const struct request *request; /* for passes */
    uint64_t moved;             /* payload bytes so far */
    uint64_t limit;             /* most payload bytes, 0: any */
    bool ended;                 /* the sink was told of the end */
};

/* Moves what can be moved now. */
MUST_USE enum relay_state relay_pump(struct relay *r);
