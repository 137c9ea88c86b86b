#include "control/publish.h"

#include "base/check.h"
#include "base/list.h"
#include "base/log.h"
#include "base/need.h"
#include "config/snapshot.h"
#include "control/compose.h"
#include "control/control.h"
#include "script/bundle.h"
#include "worker/worker.h"

#include <stdlib.h>

#define LATER_S 0.1 /* until a publication without memory is tried again */

/* Somebody who is told once the changes so far are served. */
struct waiter {
    struct list link;
    void (*done)(void *arg);
    void *arg;
};

/* A snapshot on its way to the workers. */
struct publication {
    struct publisher *publisher;
    uint64_t generation;
    unsigned missing;    /* workers that have not adopted it */
    struct list waiters; /* told when missing is 0 */
};

struct publisher {
    struct control *control;
    uint64_t built;            /* generation of the newest snapshot */
    uint64_t served;           /* generation that all workers serve */
    struct snapshot *newest;   /* one of its leases is ours */
    struct publication *going; /* not yet adopted by all, or NULL */
    bool dirty;                /* something changed since newest was built */
    struct list waiters;       /* for the next publication */
    ev_prepare prepare;        /* runs before the loop sleeps; started while there is work */
    ev_timer later;            /* runs when there was no memory */
};

static void snapshot_release(struct snapshot *s)
{
    CHECK(s->leases > 0);
    if (--s->leases > 0)
        return;
    bundle_unref((struct bundle *)s->bundle);
    snapshot_free(s);
}

static void call_waiters(struct list *waiters)
{
    struct list *at, *tmp;

    LIST_EACH (at, tmp, waiters) {
        struct waiter *w = CONTAINER_OF(at, struct waiter, link);

        list_remove(&w->link);
        w->done(w->arg);
        free(w);
    }
}

static void free_waiters(struct list *waiters)
{
    struct list *at, *tmp;

    LIST_EACH (at, tmp, waiters)
        free(CONTAINER_OF(at, struct waiter, link));
    list_init(waiters);
}

static void publication_end(struct publication *p)
{
    struct publisher *pub = p->publisher;

    CHECK(pub->going == p && p->generation > pub->served);
    pub->going = NULL;
    pub->served = p->generation;
    log_write(LOG_DEBUG, "configuration published", "generation=%llu",
              (unsigned long long)p->generation);
    if (pub->dirty)
        ev_prepare_start(pub->control->loop, &pub->prepare);
    call_waiters(&p->waiters);
    free(p);
}

static void on_adopted(struct message *m)
{
    struct lease *lease = CONTAINER_OF(m, struct lease, adopted);
    struct publication *p = lease->publication;

    ASSERT_CONTROL();
    if (!p)
        return; /* the first snapshot: workers start with it */
    lease->publication = NULL;
    CHECK(p->missing > 0);
    if (--p->missing == 0)
        publication_end(p);
}

static void on_returned(struct message *m)
{
    struct lease *lease = CONTAINER_OF(m, struct lease, returned);

    ASSERT_CONTROL();
    snapshot_release(lease->snapshot);
    free(lease);
}

struct lease *publish_lease(struct control *c, struct snapshot *s)
{
    struct lease *lease = need_zeroed(1, sizeof(*lease));

    ASSERT_CONTROL();
    CHECK(c->publisher);
    lease->snapshot = s;
    lease->adopted.run = on_adopted;
    lease->returned.run = on_returned;
    s->leases++;
    return lease;
}

/* Builds the next snapshot; the one before lives on as long as workers hold it. */
static struct snapshot *renew(struct publisher *pub)
{
    struct snapshot *s = compose_snapshot(pub->control);

    CHECK(s->generation == ++pub->built);
    s->leases = 1;
    if (pub->newest)
        snapshot_release(pub->newest);
    pub->newest = s;
    pub->dirty = false;
    return s;
}

/* Hands the newest state of the model to all workers. */
static void send_all(struct publisher *pub)
{
    struct control *c = pub->control;
    struct publication *p = need_zeroed(1, sizeof(*p));
    struct snapshot *s = renew(pub);
    struct list *at, *tmp;

    CHECK(c->worker_count > 0);
    *p = (struct publication){pub, s->generation, c->worker_count, {0}};
    list_init(&p->waiters);
    LIST_EACH (at, tmp, &pub->waiters) {
        list_remove(at);
        list_push_back(&p->waiters, at);
    }
    pub->going = p;
    for (unsigned i = 0; i < c->worker_count; i++) {
        struct lease *lease = publish_lease(c, s);

        lease->publication = p;
        worker_adopt(c->workers[i], lease);
    }
}

static void on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct publisher *pub = w->data;

    (void)revents;
    ev_prepare_stop(loop, w);
    if (!pub->dirty || pub->going || pub->control->stopping)
        return;
    if (need_room(publish_size(pub->control))) {
        send_all(pub);
        return;
    }
    log_write(LOG_ERROR, "no memory for the configuration, it is published later", "bytes=%zu",
              publish_size(pub->control));
    ev_timer_again(loop, &pub->later);
}

static void on_later(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct publisher *pub = timer->data;

    (void)revents;
    ev_timer_stop(loop, timer);
    ev_prepare_start(loop, &pub->prepare);
}

void publish_init(struct control *c)
{
    struct publisher *pub = need_zeroed(1, sizeof(*pub));

    ASSERT_CONTROL();
    pub->control = c;
    compose_init(c);
    list_init(&pub->waiters);
    ev_prepare_init(&pub->prepare, on_prepare);
    ev_init(&pub->later, on_later);
    pub->later.repeat = LATER_S;
    pub->prepare.data = pub->later.data = pub;
    c->publisher = pub;
}

void publish_fini(struct control *c)
{
    struct publisher *pub = c->publisher;

    ASSERT_CONTROL();
    if (!pub)
        return;
    ev_prepare_stop(c->loop, &pub->prepare);
    ev_timer_stop(c->loop, &pub->later);
    if (pub->newest) {
        CHECK(pub->newest->leases == 1);
        snapshot_release(pub->newest);
    }
    if (pub->going) {
        free_waiters(&pub->going->waiters);
        free(pub->going);
    }
    free_waiters(&pub->waiters);
    free(pub);
    c->publisher = NULL;
    compose_fini(c);
}

struct snapshot *publish_first(struct control *c)
{
    struct publisher *pub = c->publisher;

    ASSERT_CONTROL();
    CHECK(!pub->newest);
    ev_prepare_stop(c->loop, &pub->prepare);
    pub->served = pub->built + 1;
    return renew(pub);
}

void publish(struct control *c, void (*done)(void *arg), void *arg)
{
    struct publisher *pub = c->publisher;

    ASSERT_CONTROL();
    if (done) {
        struct waiter *w = need_zeroed(1, sizeof(*w));

        w->done = done;
        w->arg = arg;
        list_push_back(&pub->waiters, &w->link);
    }
    pub->dirty = true;
    if (!pub->going)
        ev_prepare_start(c->loop, &pub->prepare);
}

size_t publish_size(const struct control *c)
{
    /* Every route anew, and as much again for groups and tables. */
    return 2 * compose_bytes(c);
}

const struct snapshot *publish_newest(const struct control *c)
{
    return c->publisher->newest;
}

uint64_t publish_generation(const struct control *c)
{
    return c->publisher->served;
}
