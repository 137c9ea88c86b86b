/* client.h - one connection from a client: in a TLS handshake, idle, receiving a head, in a request, or lingering.
 *
 * Thread: the worker's. Ownership: the worker's lists own clients; a closed one frees itself at the end of the
 * loop turn. A client has at most one request at a time over HTTP/1; pipelined bytes wait in its buffer. */
#pragma once
#include "base/sock.h"
#include "worker/close_reason.h"
#include "guard/pace.h"
#include "worker/conn.h"
#include "worker/worker_state.h"

struct handshake;
struct client_session;
struct request;
struct tls_facts;

enum client_phase {
    CLIENT_HANDSHAKE, /* TLS is being set up */
    CLIENT_IDLE,    /* between requests */
    CLIENT_HEAD,    /* a request head is arriving */
    CLIENT_REQUEST, /* a request is in progress */
    CLIENT_SESSION, /* it speaks HTTP/2: its streams are clients of their own */
    CLIENT_LINGER,  /* answered and shut down; what still comes is thrown away */
    CLIENT_CLOSED   /* freed at the end of the turn */
};

/* What only a request needs is in struct request: an idle client holds this and no buffer. */
struct client {
    union {
        struct retired retired; /* first; once it is closed */
        struct list link;       /* before that: in one of the worker's lists of clients, or alone */
    };
    struct conn conn;
    struct request *request; /* from the first byte of a head to the end of its response */
    union {
        struct handshake *handshake;    /* in CLIENT_HANDSHAKE; NULL: it has ended */
        struct client_session *session; /* in CLIENT_SESSION; NULL: likewise. Otherwise NULL */
    };
    struct tls_facts *tls;     /* what the handshake agreed on; NULL: in clear */
    uint64_t opened_ms;        /* monotonic */
    uint64_t since_ms;         /* when its phase began; with HTTP/2, when it became idle */
    struct pace taking;        /* of its responses; worker/pacing.h */
    struct address peer;
    uint32_t request_total;    /* over HTTP/1, so far */
    enum client_phase phase : 8; /* changed by client_set_phase only */
    enum close_reason last : 8;  /* why it lingers */
    enum close_reason ends : 8;  /* why the request is its last; NONE: it need not be */
    bool unread : 1;           /* it was answered without reading what it sent */
    bool counted : 1;          /* its address is told when it closes */
    bool secure : 1;           /* its requests came over TLS */
    bool stream : 1;           /* one stream of a session: in none of the worker's lists, has one request */
    bool fresh : 1;            /* nothing came yet: it may turn out to speak HTTP/2 */
    bool unwatched : 1;        /* worker/arrival.h */
};
_Static_assert(sizeof(struct client) <= 312, "an idle client is to take no more than that of the allocator, and 45 bytes elsewhere");
_Static_assert(CLOSE_REASON_COUNT <= 256, "close reasons fit in a byte");

/* Takes over an accepted connection, with its place (worker/room.h); counted: and one of its address. False: out of memory, it was
 * closed, the places stay the caller's. */
MUST_USE bool client_open(struct worker *w, const struct transport *transport, const struct address *peer, bool counted);

/* The same for a descriptor on which TLS is to be spoken. */
MUST_USE bool client_open_secure(struct worker *w, int fd, const struct address *peer, bool counted);

/* Closes an idle client, and says so, unless its next request has already arrived. */
bool client_make_room(struct client *c);

/* For client_session.c and client_secure.c. */
void client_set_phase(struct client *c, enum client_phase phase);

/* Tells the peer that nothing more will come, and waits a while for its end, so that what was sent arrives. */
void client_linger(struct client *c, enum close_reason reason);

/* Ends the connection and its request. abort: with RST, so that nothing incomplete looks complete. */
void client_close(struct client *c, enum close_reason reason);

/* Who its certificate, which was found good, says it is; "": too long to be told; NULL: it sent none. */
const char *client_subject(const struct client *c);

/* The worker stops: closes an idle client, unless its next request has already arrived. */
void client_stop(struct client *c);

/* Its deadline has passed while it has a request: ends that if it is too slow. */
void client_late(struct client *c);

/* The head of the request is complete. */
void client_head_done(struct client *c);

/* Why a client with so many requests takes no further one, be there one in progress or not; CLOSE_NONE: it does. */
enum close_reason client_used_up(const struct client *c, uint64_t requests);

/* Runs requests as far as bytes and backends allow. Called after every event that concerns the client. */
void client_drive(struct client *c);
