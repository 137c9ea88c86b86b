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

void mailbox_init(struct mailbox *mb, struct ev_loop *loop)
{
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
