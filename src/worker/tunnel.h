/* tunnel.h - a request whose connections became a tunnel: WebSocket, or another protocol that client and backend agreed on.
 *
 * Begins when the backend answers 101 to a request that asked for it (the codecs say how each side of the wire puts that), and moves bytes both ways
 * with the back pressure of any body. Bytes that came with a head are the tunnel's first; a request body is complete before what
 * the client sends is. When one end ends, what it sent is flushed to the other, which is told (FIN) and may go on for
 * as long as bytes pass, with timeouts.tunnel_close between them. A broken connection breaks the other.
 *
 * Of WebSocket it follows where messages end (http/ws_frame.h), so that the proxy can close it in order: tunnel_close.h. When, is
 * said by the idle time-out, the age, or its set (tunnel_set.h: drain, removal, maintenance, shutdown).
 *
 * A tunnel counts as a request with status 101 when it opens, its bytes as they pass; it stays in flight at its member. It outlives
 * snapshots: its set moves it to the newest lease. While idle it holds no buffer.
 *
 * Thread: the worker's. Ownership: belongs to its request, and to no one else's memory but route state and lease. */
#pragma once
#include "base/list.h"
#include "http/ws_frame.h"
#include "worker/relay.h"
#include "worker/request.h"
#include "worker/tunnel_set.h"

struct response_head;

/* X(ID, name in the access log, reason that a close frame gives) */
#define TUNNEL_ENDS(X) \
    X(NONE, "", "") \
    X(DONE, "done", "") \
    X(CLIENT, "client", "") \
    X(BACKEND, "backend", "") \
    X(SLOW, "slow", "") \
    X(IDLE, "idle", "idle for too long") \
    X(AGE, "age", "open for long enough") \
    X(DRAIN, "drain", "the service drains") \
    X(REMOVED, "removed", "the service is gone from here") \
    X(MAINTENANCE, "maintenance", "the service is under maintenance") \
    X(SHUTDOWN, "shutdown", "the proxy stops")

enum tunnel_end {
#define TUNNEL_END_ID(id, name, reason) TUNNEL_END_##id,
    TUNNEL_ENDS(TUNNEL_END_ID)
#undef TUNNEL_END_ID
    TUNNEL_END_COUNT
};

extern const char *const tunnel_end_reasons[TUNNEL_END_COUNT];

enum tunnel_phase {
    TUNNEL_OPEN,
    TUNNEL_LEAVING,   /* its ends are closing it by themselves; bounded */
    TUNNEL_FINISHING, /* the messages in progress are moved, no new ones */
    TUNNEL_CLOSING,   /* close frames go out, what comes is dropped */
    TUNNEL_OVER
};

/* One direction. */
struct tunnel_flow {
    struct relay relay; /* moved counts its bytes */
    struct conn *from, *to;
    struct ws_stream frames; /* of WebSocket: what was moved */
    bool open;    /* the relay is connected; up: not before the request body is complete */
    bool flushed; /* all that was moved has left */
    bool done;    /* the source will have no more */
    bool ended;   /* its end was passed on */
    bool cut;     /* ends within a frame: its receiver gets a reset */
    uint8_t close_len, close_sent; /* bytes of the close frame */
    char close[WS_CLOSE_MAX];
};

struct tunnel {
    struct request *request;
    struct list link; /* in its set, oldest first */
    struct tunnel_set *set;
    struct tunnel_flow up, down; /* from the client; to it */
    enum tunnel_phase phase;
    enum tunnel_end end; /* why it closes; NONE as long as it does not */
    bool websocket;
    bool bypass;         /* an operator's: maintenance does not close it */
    uint32_t draw;       /* of its age: how much of the last tenth it gets, of 2^32 */
    uint64_t opened_ms;
    uint64_t moved_ms;   /* bytes passed last */
    uint64_t place_ms;   /* when its set wants it closed, UINT64_MAX: it does not; and why */
    enum tunnel_end place_end;
    uint64_t limit_ms;   /* of any phase but OPEN */
    struct slice protocol;
    char texts[];        /* what the access log says, as the head goes */
};

/* The protocol that a request asks for and that may pass: the first that is not a version of HTTP or TLS, which
 * would hide requests from the proxy. Absent: none. */
struct slice tunnel_protocol(const struct http_head *head);

/* Does a response with status 101 agree to what the backend was asked? */
bool tunnel_agrees(const struct request *rq, const struct http_head *response);

/* Sends the head and opens the tunnel. */
enum step tunnel_start(struct request *rq, struct response_head *head);

/* The step: moves what can be moved. */
enum step tunnel_run(struct request *rq);

/* Arms the client's deadline for what time does to the tunnel next. */
void tunnel_set_deadline(struct request *rq);

/* Leaves its set and is freed; a request without one is fine. */
void tunnel_free(struct request *rq);

/* For the access log; of no tunnel 0 bytes. */
struct slice tunnel_name(const struct tunnel *t);
struct slice tunnel_end_text(const struct tunnel *t);

static inline uint64_t tunnel_sent(const struct tunnel *t)
{
    return t ? t->down.relay.moved : 0;
}

static inline uint64_t tunnel_received(const struct tunnel *t)
{
    return t ? t->up.relay.moved : 0;
}
