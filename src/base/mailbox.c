#include "base/mailbox.h"

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>

/* Runs everything posted so far, oldest first. False when there was nothing. */
static bool run_batch(struct mailbox *mb)
{
    /* Acquire: pairs with the release of every post in the list (each push is a read-modify-write
     * and so continues the release sequence of the ones below), making the messages' contents
     * visible here. */
    struct message *m = atomic_exchange_explicit(&mb->newest, NULL, memory_order_acquire);
    struct message *oldest = NULL;
    bool any = m != NULL;

    while (m) {
        struct message *next = m->next;

        m->next = oldest;
        oldest = m;
        m = next;
    }
    for (m = oldest; m; m = oldest) {
        /* Read before the call, which may free the message or post it again. */
        oldest = m->next;
        m->run(m);
    }
    return any;
}

static void on_wake(struct ev_loop *loop, ev_async *w, int revents)
{
    (void)loop;
    (void)revents;
    (void)run_batch(w->data);
}

/* ---- is the loop woken? */

struct knock {
    ev_async wake;
    bool heard;
};

static void on_knock(struct ev_loop *loop, ev_async *w, int revents)
{
    (void)loop;
    (void)revents;
    ((struct knock *)w->data)->heard = true;
}

static void on_release(struct ev_loop *loop) EV_NOEXCEPT
{
    struct knock *knock = ev_userdata(loop);

    ev_async_send(loop, &knock->wake);
}

static void on_acquire(struct ev_loop *loop) EV_NOEXCEPT
{
    (void)loop;
}

/* Knocks right before the loop waits, as only then the descriptor is used. The first turn adds it; where that fails, libev calls its
 * watcher once. */
bool mailbox_loop_wakes(struct ev_loop *loop)
{
    struct knock knock = {.heard = false};

    ev_async_init(&knock.wake, on_knock);
    knock.wake.data = &knock;
    ev_async_start(loop, &knock.wake);
    ev_set_userdata(loop, &knock);
    ev_set_loop_release_cb(loop, on_release, on_acquire);
    ev_run(loop, EVRUN_NOWAIT);
    knock.heard = false;
    ev_run(loop, EVRUN_NOWAIT);
    ev_set_loop_release_cb(loop, NULL, NULL);
    ev_set_userdata(loop, NULL);
    ev_async_stop(loop, &knock.wake);
    return knock.heard;
}

/* ---- the mailbox */

/* What libev found out right before it waits, that a descriptor cannot be watched, it tells behind that: it shall not wait. */
static void before_wait(struct ev_loop *loop) EV_NOEXCEPT
{
    struct mailbox *mb = ev_userdata(loop);

    if (UNLIKELY(ev_pending_count(loop)))
        ev_async_send(loop, &mb->wake);
}

void mailbox_init(struct mailbox *mb, struct ev_loop *loop)
{
    ev_set_userdata(loop, mb);
    ev_set_loop_release_cb(loop, before_wait, on_acquire);
    atomic_init(&mb->newest, NULL);
    mb->loop = loop;
    ev_async_init(&mb->wake, on_wake);
    mb->wake.data = mb;
    ev_async_start(loop, &mb->wake);
    ev_unref(loop);
}

void mailbox_fini(struct mailbox *mb)
{
    while (run_batch(mb))
        ;
    ev_set_loop_release_cb(mb->loop, NULL, NULL);
    ev_ref(mb->loop);
    ev_async_stop(mb->loop, &mb->wake);
}

void mailbox_post(struct mailbox *mb, struct message *m)
{
    /* Relaxed: only the value is used, and the exchange below confirms it. */
    struct message *below = atomic_load_explicit(&mb->newest, memory_order_relaxed);

    CHECK(m->run);
    /* Release: what the sender wrote to the message comes before its being taken. There is no ABA:
     * the receiver takes the whole list, so a successful exchange puts m on top of what really is
     * there. */
    do {
        m->next = below;
    } while (!atomic_compare_exchange_weak_explicit(&mb->newest, &below, m, memory_order_release,
                                                    memory_order_relaxed));
    if (!below)
        ev_async_send(mb->loop, &mb->wake);
}
