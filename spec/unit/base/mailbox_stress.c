/* mailbox_stress.c - many threads post to one loop; built with -fsanitize=thread by mailbox_spec.lua.
 *
 * Prints what happened as key=value lines. Messages are freed by the function that they run, and every
 * tenth is posted once more by it. */
#include "base/check.h"
#include "base/list.h"
#include "base/mailbox.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { SENDERS = 4, MESSAGES = 20000 };

struct note {
    struct message message;
    int sender, number;
    bool again; /* to be posted once more */
};

static struct mailbox mailbox;
static struct ev_loop *loop;
static pthread_t receiver;
static int received, reposted, wrong_order, wrong_thread;
static int last[SENDERS];

static void on_note(struct message *m)
{
    struct note *note = CONTAINER_OF(m, struct note, message);

    wrong_thread += !pthread_equal(pthread_self(), receiver);
    if (note->again) {
        note->again = false;
        reposted++;
        last[note->sender] = note->number;
        mailbox_post(&mailbox, m);
        return;
    }
    if (note->number % 10) {
        wrong_order += note->number <= last[note->sender];
        last[note->sender] = note->number;
    }
    free(note);
    if (++received == SENDERS * MESSAGES)
        ev_break(loop, EVBREAK_ALL);
}

static void *send_notes(void *arg)
{
    int sender = (int)(long)arg;

    for (int i = 1; i <= MESSAGES; i++) {
        struct note *note = malloc(sizeof(*note));

        CHECK(note);
        *note = (struct note){{NULL, on_note}, sender, i, i % 10 == 0};
        mailbox_post(&mailbox, &note->message);
    }
    return NULL;
}

static void on_late(struct message *m)
{
    (void)m;
    received++;
}

static void on_late_first(struct message *m)
{
    static struct message second = {NULL, on_late};

    on_late(m);
    mailbox_post(&mailbox, &second);
}

int main(void)
{
    struct message left[2] = {{NULL, on_late_first}, {NULL, on_late}};
    pthread_t senders[SENDERS];

    receiver = pthread_self();
    loop = ev_loop_new(EVFLAG_AUTO);
    mailbox_init(&mailbox, loop);
    ev_run(loop, 0); /* returns at once: the mailbox does not keep the loop alive */
    ev_ref(loop);
    for (long i = 0; i < SENDERS; i++)
        CHECK(pthread_create(&senders[i], NULL, send_notes, (void *)i) == 0);
    ev_run(loop, 0);
    ev_unref(loop);
    for (int i = 0; i < SENDERS; i++)
        CHECK(pthread_join(senders[i], NULL) == 0);
    printf("received=%d\nreposted=%d\nwrong_order=%d\nwrong_thread=%d\n", received, reposted,
           wrong_order, wrong_thread);
    received = 0;
    mailbox_post(&mailbox, &left[0]);
    mailbox_post(&mailbox, &left[1]);
    mailbox_fini(&mailbox);
    printf("run_by_fini=%d\n", received);
    ev_loop_destroy(loop);
    return 0;
}
