/* h1_body.h - bodies on HTTP/1 connections: a source that reads framing, a sink that writes it.
 *
 * Thread: the worker's. Ownership: embedded in a request; the connections outlive them. */
#pragma once
#include "http/framing.h"
#include "worker/conn.h"
#include "worker/relay.h"

/* Reads a body out of conn->in. While kept > 0 the bytes before kept (a head, and payload already moved) stay
 * in the buffer, so that the body can be sent again from the start. */
struct h1_source {
    struct conn *conn;
    struct body body;
    struct body start;   /* the body before its first byte, for h1_source_rewind */
    uint32_t kept;       /* bytes at the front of conn->in that stay; 0 when streaming */
    uint32_t kept_start; /* kept before the body's first byte */
    bool streaming;      /* moved bytes are dropped: the body cannot be sent again */
};

/* kept: bytes at the front of conn->in before the body, to be left there; with kept 0 the source streams. */
void h1_source_init(struct h1_source *s, struct conn *conn, uint32_t kept, enum http_body_kind kind,
                    uint64_t content_length, uint32_t framing_limit);

/* Back to the first byte; only while not streaming. */
void h1_source_rewind(struct h1_source *s);

/* Moves the kept bytes' block to *head and goes on in a large block of its own, streaming from now on. False: out
 * of memory, or more than a large block holds was not moved yet: later, perhaps. */
MUST_USE bool h1_source_stream(struct h1_source *s, struct buf *head);

extern const struct source_ops h1_source_ops;

/* Writes a body to conn: chunked, or plain for a length and for until-close. */
struct h1_sink {
    struct conn *conn;
    bool chunked;
    bool ends;           /* the connection ends behind the body */
    uint64_t chunk_left; /* bytes of the open chunk not yet sent */
    uint64_t left;       /* bytes of the body still to come, while ends is set; UINT64_MAX: nobody knows */
};

void h1_sink_init(struct h1_sink *s, struct conn *conn, bool chunked);

/* The connection is shut down or closed behind this body, whose length is given (UINT64_MAX: not known before its end), so that
 * its last bytes and the FIN can be one packet. */
void h1_sink_ends(struct h1_sink *s, uint64_t length);

extern const struct sink_ops h1_sink_ops;
