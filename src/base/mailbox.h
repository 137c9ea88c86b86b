/* mailbox.h - messages from any thread to the loop of one thread.
 *
 * Posting is lock-free and wakes the receiver's loop at most once for a batch. The receiver runs
 * each message's function, oldest first, in its own loop.
 *
 * Thread: mailbox_post from any; the rest from the receiver. Ownership: a message belongs to the
 * mailbox from post until its run function is called with it, then to that function. What a message
 * refers to (a snapshot) has its reference taken by the sender before it is posted. */
#pragma once
#include <ev.h>
#include <stdbool.h>
#include <stdatomic.h>

/* Embedded at the place of choice in a larger struct. */
struct message {
    struct message *next;          /* owned by the mailbox while posted */
    void (*run)(struct message *); /* called on the receiver's thread */
};

struct mailbox {
    _Atomic(struct message *) newest; /* posted and not yet taken, newest first */
    struct ev_loop *loop;             /* the receiver's */
    ev_async wake;                    /* fires on the receiver's loop */
};

/* Can another thread, or a signal, wake this loop, which was just made? Where the system has no memory to watch the descriptor by
 * which that is done (epoll_ctl), libev goes on without, and its thread would never hear of anything. Runs the loop. */
bool mailbox_loop_wakes(struct ev_loop *loop);

/* Starts to receive on loop, whose userdata and callbacks around its waiting are the mailbox's. The watcher does not keep the loop alive. */
void mailbox_init(struct mailbox *mb, struct ev_loop *loop);

/* Stops the watcher. Messages still posted are run first. */
void mailbox_fini(struct mailbox *mb);

/* Hands m to the receiver. */
void mailbox_post(struct mailbox *mb, struct message *m);
