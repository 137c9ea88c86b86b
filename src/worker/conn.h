/* conn.h - what a client's and an origin's connection have in common: transport, buffers, watcher, deadline.
 *
 * Reading and writing go through here; conn_update_io alone decides what the watcher waits for, from the
 * flags below. The watcher stays armed for reading and is taken down only when bytes arrive that nobody
 * can take yet, so an ordinary request changes no watcher.
 *
 * Where the system has no memory to watch a descriptor (epoll_ctl), libev stops the watcher and says EV_ERROR (at once: mailbox_init): then the owner
 * closes the connection, as nothing would be heard of it.
 *
 * A transport without descriptor (a stream within another connection) feeds events to io instead; it may put what it
 * received into c->in itself.
 *
 * Thread: the worker's. Ownership: embedded in a client or an origin; buffers come from the worker's pool. */
#pragma once
#include "base/buf.h"
#include "base/list.h"
#include "base/transport.h"
#include <ev.h>
#include <stdint.h>

struct worker;

struct conn {
    struct worker *worker;
    struct transport transport;
    ev_io io;
    ev_timer timer;       /* fires at or before deadline_ms, see conn_deadline */
    uint64_t deadline_ms; /* monotonic; UINT64_MAX: none */
    uint64_t timer_ms;    /* when the timer fires, while it is active */
    struct buf in;        /* received and not yet used */
    struct buf out;       /* composed and not yet sent; a block is held only while there is something */
    uint64_t sent;        /* bytes that the transport took, so far; of a stream's body */
    bool connecting;      /* wait for writability first */
    bool blocked;         /* the last write could not take everything: wait for writability */
    bool paused;          /* bytes arrived that cannot be taken: do not wait for reading */
    bool excused;         /* the deadline passed while the process did not run: it was put off once */
    bool filled;          /* the last read left no room in its block */
    bool eof;             /* the peer sends no more */
    bool broken;          /* reading failed */
    bool unwritable;      /* writing failed; what the peer sent before may still be read */
};

/* Takes over the transport. The callbacks are the owner's. */
void conn_open(struct conn *c, struct worker *w, const struct transport *transport,
               void (*on_io)(struct ev_loop *, ev_io *, int),
               void (*on_timer)(struct ev_loop *, ev_timer *, int));

/* Stops watchers, releases buffers, closes. abort: so that nothing incomplete looks complete (RST). */
void conn_close(struct conn *c, bool abort);

/* Starts, stops or changes the watcher to what the flags call for. */
void conn_update_io(struct conn *c);

/* Receives into c->in as much as fits (a block is taken if there is none). IO_AGAIN also when there is no
 * room: then the connection is paused. Sets eof or broken. */
enum io conn_read(struct conn *c);

/* Sends c->out, then data, then tail, in one call. Returns how many bytes of data were sent; what is left
 * of tail behind complete data goes to c->out, what is left of data stays the caller's. Sets blocked or
 * unwritable; while one of them is set nothing is sent. */
size_t conn_write(struct conn *c, struct slice data, struct slice tail);

/* Sends what c->out, and the transport, hold. */
void conn_flush(struct conn *c);

/* How much of what was sent the peer has acknowledged, nearly; of a stream, how much has left. Costs a system call. */
uint64_t conn_delivered(const struct conn *c);

/* Is there anything that conn_flush would send? */
static inline bool conn_has_unsent(const struct conn *c)
{
    return buf_len(&c->out) || c->transport.unsent;
}

/* Appends to c->out without sending; false when it does not fit in a large block. */
MUST_USE bool conn_queue(struct conn *c, struct slice data);

/* It cannot go on for a reason of our own, want of memory: nothing is read or sent any more. */
void conn_give_up(struct conn *c);

/* Bytes can be taken again: waits for reading if that was paused. */
void conn_resume(struct conn *c);

/* The owner's timer function calls this first: true when the deadline has really passed. When the process did not run
 * (suspended, no processor), it is put off once, until what came meanwhile has been heard. */
bool conn_deadline_passed(struct conn *c);

/* Sets the deadline to delay_ms from now; 0 clears it. */
void conn_deadline(struct conn *c, uint64_t delay_ms);
