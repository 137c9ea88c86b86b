/* h2_session.h - HTTP/2 (RFC 9113) on one connection, either side of it: between a struct conn and its streams stands nghttp2.
 *
 * The owner (client_session.h for clients) opens it on its conn, tells it of what was read and of room to write, and is
 * told by `settled` when the work of a turn is done. Nothing of the owner's or of a stream's is called from within nghttp2.
 *
 * Output is composed into conn->out, at most a large block of it, sent when that is full and at the end of the turn. Streams wait
 * for their turn in `waiting`; see h2_stream.h for what they send and receive.
 *
 * Thread: the worker's. Ownership: embedded in what owns it; the conn is the owner's. Streams are embedded in clients and origins
 * and close before the session does. */
#pragma once
#include "base/list.h"
#include "guard/frame_flood.h"
#include "http/h2_head.h"
#include "worker/close_reason.h"
#include <ev.h>

struct conn;
struct h2_session;
struct h2_stream;
struct nghttp2_session;

enum h2_role { H2_SERVER, H2_CLIENT };

enum {
    H2_STREAM_WINDOW = 64 * 1024 - 1, /* bytes of a body that wait in a stream's buffer: fits a large block */
    H2_SESSION_WINDOW = 1024 * 1024,  /* the same for all streams of a client's session */
    H2_REQUESTS_MAX = 128,            /* the most streams of a session towards a backend */
    H2_RESETS_KEPT = 256,
    H2_FRAME_SIZE = 16 * 1024         /* payload of a frame, and what a stream sends before others have their turn */
};

struct h2_owner {
    /* Server: a request's head has arrived in fields, whose block may be taken over. Returns the opened stream that it
     * made for it; NULL: the stream is refused. */
    struct h2_stream *(*accept)(struct h2_session *s, int32_t id, struct h2_fields *fields, bool ends);
    /* The turn's work is done. If over says so, or nothing is left to do, the owner ends the session; last call of the turn. */
    void (*settled)(struct h2_session *s);
};

/* How far it is with going away. */
enum h2_leave {
    H2_STAYS,
    H2_NOTICED, /* the peer was told; what it sends meanwhile is still served */
    H2_LEFT     /* the peer knows the last stream that is served */
};

struct h2_session {
    struct nghttp2_session *ng;
    struct conn *conn;
    const struct h2_owner *owner;
    enum h2_role role;
    ev_io turn;                /* fed when there is something to send: runs last in the turn; has no descriptor */
    ev_timer leave_timer;      /* until the peer must have seen the notice */
    /* streams */
    struct list streams;       /* all */
    struct list ready;         /* something happened, their conn's io has to be told */
    struct list waiting;       /* blocked for want of room or window, or to let others have their turn */
    unsigned stream_count;
    unsigned most;             /* towards a backend: no more at a time, whatever it allows */
    uint64_t stream_total;     /* opened so far */
    /* in */
    struct h2_fields fields;   /* head or trailers on their way */
    struct http_limits limits; /* for these */
    int32_t heading;           /* of this stream; 0: none */
    size_t heading_size;       /* bytes of it, kept or not */
    struct frame_flood resets, control, updates;
    int32_t newest;            /* highest number of a stream that the peer opened */
    int32_t reset_ids[H2_RESETS_KEPT]; /* streams that we have reset last: frames for them may still come */
    unsigned reset_at;         /* place of the next */
    /* out */
    struct slice left;         /* what nghttp2 composed and conn->out could not take yet */
    bool composing;            /* within nghttp2 */
    uint64_t sent_ms;          /* when body bytes were composed last */
    uint64_t body_sent;        /* body bytes composed so far */
    /* end */
    enum h2_leave leave;
    bool greeted;              /* its SETTINGS have come */
    bool asked;                /* whether it is still there: no answer yet */
    bool peer_leaves;          /* it sent GOAWAY */
    enum close_reason over;    /* not NONE: the connection has to end */
};

/* Starts on conn, which the owner has opened; SETTINGS leave at the end of the turn. False: out of memory. */
MUST_USE bool h2_session_open(struct h2_session *s, struct conn *conn, enum h2_role role,
                              const struct h2_owner *owner);

/* Ends it; all streams have been closed. Its conn may still have GOAWAY to send. */
void h2_session_close(struct h2_session *s);

/* Takes what was received into conn->in, and runs the streams that it concerns. */
void h2_session_input(struct h2_session *s);

/* The conn is writable again, or the owner wants the session looked at: at the end of the turn. */
void h2_session_touch(struct h2_session *s);

/* Do streams wait for the peer to open the session's window? */
bool h2_session_is_held_up(const struct h2_session *s);

/* Takes no new streams any more, after the peer had the time to learn of it. Again is fine. */
void h2_session_leave(struct h2_session *s);

/* Towards a backend: how many more requests it takes now. 0 for good once h2_session_is_used_up. */
unsigned h2_session_places(const struct h2_session *s);
bool h2_session_is_used_up(const struct h2_session *s);

/* Asks the peer whether it is there (PING); `asked` until it has answered. */
void h2_session_ask(struct h2_session *s);

/* The connection is gone: what streams have not received by now will not come. Their conns are told. Streams stay until
 * their owners close them, and so does the session. */
void h2_session_lose(struct h2_session *s, enum close_reason reason);

/* What every call that may fail for want of memory returned: then the session ends. Returns it. */
int h2_session_check(struct h2_session *s, int error);

/* GOAWAY with this error code (RFC 9113 section 7), and over. */
void h2_session_fail(struct h2_session *s, enum close_reason reason, uint32_t code);

/* Composes GOAWAY, to go out with what is in conn->out. */
void h2_session_say_goodbye(struct h2_session *s, uint32_t code);

/* Ends all streams: their owners are told that they broke. */
void h2_session_break_streams(struct h2_session *s);

/* ---- between h2_session.c, h2_input.c, h2_output.c, h2_send.c and h2_stream.c */

enum {
    H2_UPDATES_EARNED = 4, /* WINDOW_UPDATEs that a DATA frame or a stream gives reason for */
    H2_PING_SIZE = 8
};

/* The PING by whose answer a peer says that it has seen the notice. */
extern const uint8_t h2_leave_ping[H2_PING_SIZE];
extern const uint8_t h2_ask_ping[H2_PING_SIZE]; /* and the one that h2_session_ask sends */

struct nghttp2_session_callbacks;

/* Sets the callbacks of receiving. */
void h2_input_callbacks(struct nghttp2_session_callbacks *callbacks);

/* Sets the callbacks of sending. */
void h2_output_callbacks(struct nghttp2_session_callbacks *callbacks);
void h2_send_callbacks(struct nghttp2_session_callbacks *callbacks);

/* Bytes of room in conn->out, a large block. */
size_t h2_output_room(struct h2_session *s);

/* Is there room for size bytes? What is there is sent for it if it must be. */
MUST_USE bool h2_output_make_room(struct h2_session *s, size_t size);

/* Lets nghttp2 compose frames as long as there is room. */
void h2_output_compose(struct h2_session *s);

/* Sends, and wakes streams that wait, until nothing is left to do. */
void h2_output_settle(struct h2_session *s);

/* END_STREAM has been composed. */
void h2_stream_note_end(struct h2_stream *st);

/* Runs streams that are ready. */
void h2_session_run_ready(struct h2_session *s);

/* The stream with this id; NULL: it is not ours any more. */
struct h2_stream *h2_session_stream(struct h2_session *s, int32_t id);
