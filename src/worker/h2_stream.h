/* h2_stream.h - one stream of an HTTP/2 session: the transport of a client's or origin's conn that has no descriptor.
 *
 * Received: the head in `head`, the body in conn->in, trailers in `trailers`. Of the body, bytes count against the windows until
 * they are credited. Sent: heads are handed to nghttp2; body bytes are offered by h2_stream_send and stay the caller's as far as
 * they were not taken, with conn->blocked set then. Whatever happens is told by conn->io: EV_READ for what was received, EV_WRITE
 * when sending is worth a try. A stream that ends before its time has conn->broken set.
 *
 * The transport's close sends RST_STREAM where the stream has not ended both ways: to a client INTERNAL_ERROR to abort, NO_ERROR
 * behind a complete response, else CANCEL; to a backend CANCEL.
 *
 * Thread: the worker's. Ownership: embedded in what also embeds the conn; buffers come from the worker's pool. */
#pragma once
#include "http/field_list.h"
#include "http/h2_head.h"
#include "worker/conn.h"

struct h2_session;

/* A head that came while the one before it was not read yet: after a 1xx. */
struct h2_later {
    struct h2_later *next;
    struct h2_fields fields;
};

struct h2_stream {
    struct h2_session *session; /* NULL once closed */
    struct conn *conn;
    struct list link;    /* in session->streams */
    struct list ready;   /* in session->ready while events are to be told */
    struct list waiting; /* in session->waiting */
    int32_t id;
    int events; /* to be told */
    /* received */
    struct h2_fields head; /* no block: none; count 0: read */
    struct h2_later *later; /* heads behind it, in their order */
    struct buf trailers;   /* as HTTP/1 has them; no block: none */
    uint64_t received, credited; /* body bytes; those given back to the windows */
    uint64_t expected;     /* body bytes that were announced; UINT64_MAX: any */
    uint32_t kept;         /* of conn->in: moved, but still there to be sent again */
    bool streaming;        /* moved bytes are dropped */
    bool trailers_read;
    bool bodyless;         /* nothing follows the head */
    bool ended;            /* the peer sends no more */
    bool refused;          /* the peer has said that it did not look at it */
    bool malformed;        /* what a backend sent was no HTTP: it was reset */
    /* sent */
    struct slice offer;    /* while composing */
    uint64_t left;         /* body bytes still to send; UINT64_MAX: not known */
    unsigned heads;        /* handed over and not composed yet */
    bool last;             /* the stream ends behind what is offered */
    bool ending;           /* the body is complete */
    bool trailing;         /* trailers were handed over, and end the stream */
    bool woken;            /* it has its turn */
    bool deferred;         /* nghttp2 waits to be told of data */
    bool sent_head;        /* a head was composed: the peer may know of it */
    bool sent_end;         /* END_STREAM was composed */
    bool gone;             /* nghttp2 has forgotten it */
};

/* Opens stream id of the session for conn (0: it gets one with its request): *transport is to be given to conn_open. */
void h2_stream_open(struct h2_stream *st, struct h2_session *s, int32_t id, struct conn *conn,
                    struct transport *transport);

/* Notes that its conn has to be told. */
void h2_stream_tell(struct h2_stream *st, int events);

/* Takes over the fields of a head, behind those that were not read yet. Of very many 1xx at once some are dropped. */
void h2_stream_add_head(struct h2_stream *st, struct h2_fields *fields);

/* Makes the next head that is to be read st->head; false: there is none. */
bool h2_stream_next_head(struct h2_stream *st);

/* n body bytes have gone on: the peer may send as many more. */
void h2_stream_credit(struct h2_stream *st, size_t n);

/* A response head (or a 1xx one, with final false); ends: nothing follows. 0 or -errno. While too many 1xx wait for a peer that
 * does not read, further ones are dropped. */
MUST_USE int h2_stream_respond(struct h2_stream *st, int status, const struct field_list *fields,
                               uint64_t content_length, bool final, bool ends);

struct h2_target {
    struct slice method, scheme, authority, path;
};

/* A request's head; fields that are about a connection, and Host, are left out. ends: nothing follows. 0 or -errno: it was
 * not sent. */
MUST_USE int h2_stream_request(struct h2_stream *st, const struct h2_target *target, const struct field_list *fields,
                               uint64_t content_length, bool ends);

/* Does it wait for other streams of its session, which have sent something within the last within_ms? */
bool h2_stream_awaits_turn(const struct h2_stream *st, uint64_t within_ms);

/* Offers body bytes; returns how many were taken. last: the stream ends behind them. */
size_t h2_stream_send(struct h2_stream *st, struct slice data, bool last);

/* The body is complete, with these trailers (NULL: none). Then until it returns true: has the end been composed? */
void h2_stream_end(struct h2_stream *st, const struct http_head *trailers);
bool h2_stream_end_composed(struct h2_stream *st);
