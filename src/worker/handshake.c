#include "worker/handshake.h"

#include "base/clock.h"
#include "config/router.h"
#include "worker/client.h"
#include "worker/client_secure.h"
#include "worker/listener.h"

#include <stdlib.h>

enum { SLICE_US = 2000, CREDIT_MAX_US = 4000, OTHERS_PARTS = 3, HURRY_MS = 1000, NEXT_MAX = 16 };

/* Nothing: while it is active the loop does not wait. */
static void on_idle(struct ev_loop *loop, ev_idle *idle, int events)
{
    (void)loop;
    (void)idle;
    (void)events;
}

void handshakes_init(struct worker *w)
{
    list_init(&w->due_handshakes);
    ev_idle_init(&w->handshake_idle, on_idle);
}

static bool offer_h2(struct tls_accept *accept, struct slice name)
{
    const struct handshake *h = CONTAINER_OF(accept, struct handshake, accept);

    return router_offers_http2(&h->lease->snapshot->router, name);
}

struct handshake *handshake_begin(struct client *c, struct worker *w, int fd, struct transport *out)
{
    struct handshake *h = calloc(1, sizeof(*h));
    const struct snapshot *snapshot = w->lease->snapshot;

    if (!h)
        return NULL;
    h->client = c;
    h->accept.context = snapshot->tls;
    h->accept.offer_h2 = offer_h2;
    if (!snapshot->tls || !server_context_open(out, fd, &h->accept)) {
        free(h);
        return NULL;
    }
    list_init(&h->due);
    h->lease = worker_lease_take(w);
    w->handshakes++;
    return h;
}

void handshake_ready(struct handshake *h)
{
    struct worker *w = h->client->conn.worker;

    if (!list_empty(&h->due))
        return;
    list_push_back(&w->due_handshakes, &h->due);
    ev_idle_start(w->loop, &w->handshake_idle);
}

void handshake_end(struct handshake **handshake)
{
    struct handshake *h = *handshake;
    struct worker *w = h->client->conn.worker;

    *handshake = NULL;
    list_remove(&h->due);
    if (list_empty(&w->due_handshakes))
        ev_idle_stop(w->loop, &w->handshake_idle);
    worker_lease_release(w, h->lease);
    free(h);
    w->handshakes--;
    for (unsigned i = 0; !handshakes_full(w) && i < w->listener_count; i++)
        listener_resume(&w->listeners[i]); /* which may have stopped under another limit */
}

/* The first one that is due; its watcher is armed again before it runs, by what it then waits for. */
static void run_first(struct worker *w)
{
    struct handshake *h = CONTAINER_OF(w->due_handshakes.next, struct handshake, due);

    list_remove(&h->due);
    if (list_empty(&w->due_handshakes))
        ev_idle_stop(w->loop, &w->handshake_idle);
    h->client->conn.paused = false;
    client_handshake(h->client);
}

/* Those that have to wait long hear of nothing until then. The next ones are left as they are: being told of them again costs less
 * than to say so twice. Those that came last are not paused yet; the ones before them are, but for the next. */
static void pause_waiting(struct worker *w)
{
    struct list *due = &w->due_handshakes, *next = due->next;

    for (int n = 0; n < NEXT_MAX && next != due; n++)
        next = next->next;
    if (next == due)
        return;
    for (struct list *node = due->prev; node != next->prev; node = node->prev) {
        struct conn *c = &CONTAINER_OF(node, struct handshake, due)->client->conn;

        if (c->paused)
            return;
        c->paused = true;
        conn_update_io(c);
    }
}

/* How long handshakes may take now. */
static int64_t allowed_us(struct worker *w, uint64_t now_us)
{
    if (!w->served) {
        w->handshake_credit_us = 0;
        return SLICE_US;
    }
    w->handshake_credit_us += (int64_t)(now_us - w->now_us) / OTHERS_PARTS;
    if (w->handshake_credit_us > CREDIT_MAX_US)
        w->handshake_credit_us = CREDIT_MAX_US;
    return w->handshake_credit_us < SLICE_US ? w->handshake_credit_us : SLICE_US;
}

void handshakes_run(struct worker *w)
{
    uint64_t start_us, now_us;
    int64_t allowed;

    start_us = now_us = clock_us();
    allowed = allowed_us(w, start_us);
    while ((int64_t)(now_us - start_us) < allowed && !list_empty(&w->due_handshakes)) {
        run_first(w);
        now_us = clock_us();
    }
    pause_waiting(w);
    w->handshake_credit_us -= w->served ? (int64_t)(now_us - start_us) : 0;
}

bool handshakes_full(const struct worker *w)
{
    return w->handshakes >= worker_settings(w)->handshakes;
}

void handshakes_hurry(struct worker *w)
{
    struct list *node, *next;

    LIST_EACH (node, next, &w->busy_clients) {
        struct client *c = CONTAINER_OF(node, struct client, link);

        if (c->phase == CLIENT_HANDSHAKE)
            conn_deadline(&c->conn, HURRY_MS);
    }
}
