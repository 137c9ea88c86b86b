/* connection.h - one registry connection: bytes to lines, lines to answers, both bounded.
 *
 * A connection reads lines (16 KiB at most), hands each to the scripts and writes one answer a line
 * in order. While an answer has to wait (an apply, a probe), or more lines came than the settings
 * registry_lines and registry_burst allow (guard/line_pace.h), no further line of it is run; what
 * arrives is left unread once its buffer is full. Output past the registry_output setting closes
 * it. Whose lines run when is the registry's business (control/registry_turn.c).
 *
 * Thread: control. Ownership: the registry owns connections; a connection and its session point to
 * each other while bound. */
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "base/list.h"
#include "base/slice.h"
#include "base/sock.h"
#include "base/transport.h"
#include "control/registry_count.h"
#include "guard/line_pace.h"
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct control;
struct registry;
struct session;
struct tls_names;
struct tls_registry;

enum {
    REGISTRY_LINE_MAX = 16 * 1024,        /* bytes of a command without its line end */
    REGISTRY_ANSWER_MAX = 64 * 1024,      /* bytes of an answer with its newline */
    REGISTRY_COMPRESSED_MAX = 1024 * 1024 /* the same for a compressed one */
};

enum connection_phase {
    CONNECTION_HANDSHAKE, /* of TLS; nothing else is done until its end */
    CONNECTION_OPEN,    /* reads, answers */
    CONNECTION_CLOSING, /* runs no line any more, closes once its output is written */
    CONNECTION_CLOSED   /* descriptor gone, freed at the end of the loop turn */
};

struct connection {
    struct list link;  /* in registry.connections, or .closed */
    struct list due;   /* in registry.due while it has lines to run, in .handshakes while it has a step to do */
    bool lines_due;    /* it is in registry.due */
    bool surplus;      /* it was refused as it came, and is told so */
    struct control *control;
    struct registry *registry;
    uint64_t serial;             /* names it to scripts and pending answers; never reused */
    struct transport transport;
    struct tls_names *certificate; /* of the client, verified; NULL: none */
    enum connection_phase phase; /* changed by set_phase only */
    enum connection_end last;    /* why it is closing; DONE: it is not, or its client wants it */
    struct address peer;
    struct session *session; /* bound, or NULL */
    uint32_t events;         /* subscribed, mask of 1u << enum event */
    char watched[33];        /* unbound: id of the session whose events it asked for; "": none */
    bool authorized;         /* AUTH or a certificate was right, or no token is needed */
    bool waiting;            /* an answer is pending: run no further line */
    bool skipping;           /* inside a line that was too long */
    bool eof;                /* the client will send no more */
    bool excused;            /* its deadline was put off, as it waited for its turn */
    bool running;            /* inside the running of lines: output is sent at its end */
    unsigned early_lines;    /* before it was authorized */
    uint64_t opened_ms, spoke_ms; /* when it was opened, its last line was run; monotonic */
    struct line_pace pace;
    struct buf in;           /* heap block, none while empty */
    char *out;               /* queued output, out[out_start, out_start + out_len) */
    size_t out_start, out_len, out_cap;
    ev_io io;
    ev_timer deadline; /* of the handshake, of AUTH, of being idle, of the client's end while closing */
    ev_timer pause;    /* until its next line may run */
};

/* Takes over a transport. handshake: of TLS, it is still to come. */
struct connection *connection_new(struct control *c, struct registry *r, uint64_t serial,
                                  const struct transport *transport, bool handshake, const struct address *peer);

/* Frees a closed one. */
void connection_free(struct connection *conn);

/* Runs lines, this many at most and, but for one, none past the moment, and sends. */
void connection_run(struct connection *conn, unsigned lines, uint64_t until_us);

/* Does the next step of its handshake. */
void connection_shake_hands(struct connection *conn);

/* Does it speak for no session, hear no events and wait for nothing? */
bool connection_is_stranger(const struct connection *conn);

/* Queues one line (newline added) and sends when not inside connection_run. A connection whose
 * client leaves too much unread is closed. */
void connection_send(struct connection *conn, struct slice line);

/* Sends ERROR|reason. */
void connection_refuse(struct connection *conn, const char *reason);

/* The same, then closes; why is what counts as its end. */
void connection_dismiss(struct connection *conn, enum connection_end why, const char *reason);

/* Binds conn to s: what either was bound to before is unbound (a session left without a connection
 * is disconnected, a connection that lost its session is closed), and s is connected. */
void connection_bind(struct connection *conn, struct session *s);

/* May it act for this service? Anybody may without a certificate; else err says whom the certificate is for. */
MUST_USE bool connection_may_be(const struct connection *conn, struct slice service, struct error *err);

/* REGISTER: a new session bound to conn; one that conn was bound to before is disconnected. */
struct session *connection_register(struct connection *conn, struct slice service,
                                    struct slice instance, uint16_t maintenance_port,
                                    struct slice metadata);

/* RECONNECT: binds conn to the living session with this id; false when there is none. */
bool connection_reconnect(struct connection *conn, struct slice id);

/* Parts conn from its session without touching the session's standing. */
void connection_unbind(struct connection *conn);

/* Closes after what is queued was written; no further line is run. */
void connection_close(struct connection *conn);

/* Closes at once. A bound session is disconnected. */
void connection_abort(struct connection *conn, enum connection_end why);

/* Between connection.c and connection_input.c alone. */

/* Data or end of input? */
bool connection_wants_input(const struct connection *conn);

/* Reads once, to the tail of the input; what comes while closing is thrown away. */
void connection_read(struct connection *conn);

/* Sends, ends what is to end, and waits for the rest. */
void connection_settle(struct connection *conn);
