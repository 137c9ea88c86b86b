/* codec.h - what a request asks of a wire format, on the client's side and on the origin's.
 *
 * request.c goes through these tables only, so it never knows which version of HTTP either side speaks.
 *
 * Thread: the worker's. Ownership: codecs are constant; their per-request state is in struct request. */
#pragma once
#include "guard/verdict.h"
#include "http/head.h"
#include "http/parse.h"

struct field_list;
struct relay;
struct request;

/* A response head about to be sent to the client. */
struct response_head {
    int status;
    struct slice reason;             /* absent: the standard phrase */
    const struct field_list *fields; /* without framing and connection fields */
    enum http_body_kind body;        /* as the client will get it; the codec turns UNTIL_CLOSE into what it has */
    uint64_t content_length;         /* for BODY_LENGTH */
    bool may_trail;                  /* trailers may follow, be the length known or not */
    bool tell_length;                /* BODY_NONE, but say content_length (HEAD, 304) */
    bool keep_alive;                 /* the codec may turn it off */
    bool moves_on;                   /* the client had better connect elsewhere: a drain */
    struct slice tunnel;             /* status 101: a tunnel follows, for this protocol; absent: none */
};

struct client_codec {
    const char *name; /* "HTTP/1.1", for logs */
    /* May the request's group be used by it? NULL: always. */
    enum verdict (*admit)(const struct request *rq);
    /* Fills rq->head from what was received. An error: *error is a static sentence. */
    enum parse (*read_head)(struct request *rq, const char **error);
    /* Can the body be sent again from its first byte? */
    bool (*can_repeat)(const struct request *rq);
    /* Makes the next read of the body start at its first byte again. */
    void (*rewind)(struct request *rq);
    /* Makes room for reading more; false: nothing can be taken now. */
    bool (*make_room)(struct request *rq);
    /* Has all of the body arrived and been moved? */
    bool (*upload_done)(const struct request *rq);
    /* Connects the relay's source to the request body. */
    void (*open_upload)(struct request *rq, struct relay *r);
    /* A 1xx response. */
    void (*send_interim)(struct request *rq, int status, struct slice reason,
                         const struct field_list *fields);
    /* Composes the head (it leaves with the first body bytes); connects the relay's sink to the client. False: does
     * not fit. Turns head->keep_alive off where the framing demands it. */
    bool (*send_head)(struct request *rq, struct response_head *head, struct relay *r);
    /* The request is over: its bytes leave the buffer. */
    void (*finish)(struct request *rq);
    /* Behind a head with tunnel, once the request body is complete: connects the relay's source to what the client sends
     * from there on, which may have come already. The request's bytes leave the buffer. */
    void (*tunnel_source)(struct request *rq, struct relay *r);
};

struct origin_codec {
    /* Composes the request head, with rq->upgrading one that asks for the protocol rq->upgrade; connects the relay's sink
     * to the origin. False: does not fit. */
    bool (*send_head)(struct request *rq, const struct field_list *fields, struct relay *r);
    /* Fills *head from what was received; 1xx included. */
    enum parse (*read_head)(struct request *rq, struct http_head *head, const char **error);
    /* Connects the relay's source to the response body. */
    void (*open_download)(struct request *rq, const struct http_head *head, struct relay *r);
    /* The connection ended: is the response complete by that? */
    bool (*eof)(struct request *rq);
    /* NULL: it cannot be asked for an upgrade. Behind a head with status 101: connects the relay's source to what the backend sends from there on, which may
     * have come already. */
    void (*tunnel_source)(struct request *rq, struct relay *r);
    /* The same, once the request body is complete: connects the relay's sink to the backend. */
    void (*tunnel_sink)(struct request *rq, struct relay *r);
};
