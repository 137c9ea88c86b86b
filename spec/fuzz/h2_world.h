/* h2_world.h - an HTTP/2 session with what it stands on (a worker without a thread, a conn, a peer), in memory.
 *
 * The peer sends what h2_world_hear is given, in pieces of any size, and takes as many bytes as it is told to. Everything
 * that the session does happens in h2_world_hear and h2_world_turn, as it would in a turn of a worker's loop; no descriptor is
 * opened and no clock read. What the session sends is read as it leaves (h2_wire.h).
 *
 * A world has one of two kinds of streams (h2_streams.h): still ones only keep what they are given; the others read requests
 * and answer them, or send requests, as a script says.
 *
 * Thread: one, which the world's worker is until h2_world_close. Ownership: the world's; the caller's memory. */
#pragma once
#include "base/slice.h"
#include "spec/fuzz/h2_wire.h"
#include "worker/conn.h"
#include "worker/h2_session.h"
#include "worker/worker_state.h"

enum { H2_WORLD_STREAMS = 1024 }; /* still ones */

/* Bytes that say what happens; read again from the start when they are over. */
struct h2_script {
    struct slice bytes;
    size_t at;
};

struct h2_world {
    struct settings settings;
    struct snapshot snapshot;
    struct lease lease;
    struct worker worker;
    struct conn conn;
    struct h2_session h2;
    bool still;      /* streams only keep what they are given */
    bool hold;       /* streams take no body bytes */
    bool open;       /* the session is */
    bool lost;       /* towards a backend: the connection is gone */
    struct slice hears; /* what the next read gives */
    size_t takes;    /* bytes that the peer takes; SIZE_MAX: any */
    struct h2_script script;
    struct h2_wire wire;
    struct list streams; /* struct h2_fuzz_stream, in their order */
    unsigned opened, closed;
    size_t allocated; /* bytes before it was opened */
};

/* Opens a session. still, script: see above. Its worker has small limits, but for still streams none that count. */
void h2_world_open(struct h2_world *w, enum h2_role role, bool still, struct slice script);

/* The peer sends this, and a turn passes. False: the session has ended. */
bool h2_world_hear(struct h2_world *w, struct slice bytes);

/* What is to be done without anything new. */
void h2_world_turn(struct h2_world *w);

/* The next byte of the script; 0 if it is empty. */
uint8_t h2_world_script(struct h2_world *w);

/* The connection ends; streams are told. Fine again. */
void h2_world_end(struct h2_world *w);

/* Ends it if it has not, and frees; nothing may be left: streams, blocks, memory. */
void h2_world_close(struct h2_world *w);
