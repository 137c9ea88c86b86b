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

struct client_codec;
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

struct client {
    struct retired retired; /* first */
    struct conn conn;
    struct list link;          /* in worker.idle_clients or busy_clients */
    const struct client_codec *codec; /* how its requests are written */
    struct request *request;   /* from the first byte of a head to the end of its response */
    enum client_phase phase;   /* changed by client_set_phase only */
    struct client_session *session; /* in CLIENT_SESSION, else NULL */
    enum close_reason last;    /* why it lingers */
    uint64_t opened_ms;        /* monotonic */
    uint64_t since_ms;         /* when its phase began; with HTTP/2, when it became idle */
    struct pace taking;        /* of its responses; worker/pacing.h */
    bool unread;               /* it was answered without reading what it sent */
    bool counted;              /* its address is told when it closes */
    uint64_t request_total;    /* over HTTP/1, so far */
    enum close_reason ends;    /* why the request is its last; NONE: it need not be */
    struct address peer;
    bool secure; /* its requests came over TLS */
    struct handshake *handshake;  /* while it is in one */
    struct tls_facts *tls;        /* what that agreed on; NULL: in clear */
    bool stream; /* one stream of a session: in none of the worker's lists, has one request */
    bool fresh;  /* nothing came yet: it may turn out to speak HTTP/2 */
    bool unwatched; /* worker/arrival.h */
};

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
