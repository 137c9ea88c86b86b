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
#include "base/deadlines.h"
#include "base/lane.h"
#include "base/list.h"
#include "base/transport.h"
#include <ev.h>
#include <stdint.h>

struct worker;

/* A worker may have tens of thousands that only wait: each byte counts (client.h holds how many). */
struct conn {
    struct worker *worker;
    struct transport transport;
    ev_io io;                 /* its data: the owner */
    struct deadline deadline; /* in worker.deadlines; set by conn_deadline */
    struct buf in;            /* received and not yet used */
    struct buf out;           /* composed and not yet sent; a block is held only while there is something */
    uint64_t sent;            /* bytes that the transport took, so far; of a stream's body */
    bool connecting : 1;      /* wait for writability first */
    bool blocked : 1;         /* the last write could not take everything: wait for writability */
    bool paused : 1;          /* bytes arrived that cannot be taken: do not wait for reading */
    bool excused : 1;         /* the deadline passed while the process did not run: it was put off once */
    bool filled : 1;          /* the last read left no room in its block */
    bool stalled : 1;         /* since then it was paused */
    bool eof : 1;             /* the peer sends no more */
    bool broken : 1;          /* reading failed */
    bool unwritable : 1;      /* writing failed; what the peer sent before may still be read */
    bool due : 1;             /* noted in worker/fifo.h: its event has still to be heard */
    bool queued : 1;          /* it waits for its turn (worker/bulk.h) and hears nothing meanwhile */
    bool its_turn : 1;        /* it has it now */
    struct lane_item bulk;
};

/* What becomes of events: whose connection it is. */
struct conn_owner {
    void (*on_io)(struct ev_loop *loop, ev_io *io, int events);
    /* The deadline has passed; it is told once. Not at once where the process did not run (suspended, no processor): then what
     * came meanwhile is heard before. */
    void (*on_late)(struct conn *c);
};

static inline const struct conn_owner *conn_owner(const struct conn *c)
{
    return c->io.data;
}

/* Has something come that this turn of the loop has still to look at? */
static inline bool conn_is_due(const struct conn *c)
{
    return c->due || ev_is_pending(&c->io);
}

/* Takes over the transport; owner is constant. */
void conn_open(struct conn *c, struct worker *w, const struct transport *transport, const struct conn_owner *owner);

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

/* Sets the deadline to delay_ms from now; 0 clears it. */
void conn_deadline(struct conn *c, uint64_t delay_ms);
