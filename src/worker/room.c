#include "worker/room.h"

#include "base/log.h"
#include "guard/address_count.h"
#include "worker/client.h"
#include "worker/client_session.h"
#include "worker/forward.h"
#include "worker/pool.h"

#include <stdlib.h>

enum {
    TRIES = 8,          /* idle clients that are looked at: some have a request on its way */
    PATIENCE_MS = 500,  /* a request may be on its way to one that has just become idle, or was just accepted */
    HEAD_PATIENCE_MS = 1000,
    ASK_EVERY_MS = 20,
    ASKED_FOR = 16,     /* connections that a worker closes when it is asked */
    TELL_EVERY_MS = 10000
};

/* ---- making room */

static struct client *first_of(const struct list *clients)
{
    return CONTAINER_OF(clients->next, struct client, link);
}

/* The first of the list is the longest in it. */
static bool has_patient(const struct worker *w, const struct list *clients, uint64_t patience_ms)
{
    return !list_empty(clients) && w->now_ms - first_of(clients)->since_ms >= patience_ms;
}

/* One whose next request has arrived goes to the end of the list. */
static bool close_idle(struct worker *w)
{
    for (int i = 0; i < TRIES && has_patient(w, &w->idle_clients, PATIENCE_MS); i++)
        if (client_make_room(first_of(&w->idle_clients)))
            return true;
    return false;
}

/* One that got a request this turn is still in the list. */
static bool close_idle_session(struct worker *w)
{
    struct list *node, *next;
    int tries = 0;

    LIST_EACH (node, next, &w->idle_sessions) {
        struct client *c = CONTAINER_OF(node, struct client, link);

        if (++tries > TRIES || w->now_ms - c->since_ms < PATIENCE_MS)
            break;
        if (client_session_make_room(c))
            return true;
    }
    return false;
}

static bool close_slow_head(struct worker *w)
{
    if (!has_patient(w, &w->head_clients, HEAD_PATIENCE_MS))
        return false;
    client_close(first_of(&w->head_clients), CLOSE_MADE_ROOM);
    return true;
}

static bool close_client(struct worker *w)
{
    return close_idle(w) || close_idle_session(w) || close_slow_head(w);
}

/* ---- asking others */

struct room_order {
    struct message message;
    struct worker *worker;
    bool descriptor; /* a connection to a backend will do */
};

static void run_order(struct message *m)
{
    struct room_order *order = CONTAINER_OF(m, struct room_order, message);
    struct worker *w = order->worker;
    bool descriptor = order->descriptor;

    ASSERT_WORKER(w);
    free(order);
    for (int i = 0; i < ASKED_FOR && !w->stopping; i++)
        if (!(descriptor && pool_close_one(w)) && !close_client(w))
            break;
}

/* Not more often than they can follow. A worker that stops does not ask: others may be gone. */
static void ask_others(struct worker *w, bool descriptor)
{
    const struct worker_shared *shared = w->shared;
    unsigned count = atomic_load_explicit(&shared->peer_count, memory_order_acquire); /* peers were written before */

    if (w->stopping || w->now_ms - w->asked_ms < ASK_EVERY_MS)
        return;
    w->asked_ms = w->now_ms;
    for (unsigned i = 0; i < count; i++) {
        struct room_order *order = shared->peers[i] == w ? NULL : malloc(sizeof(*order));

        if (!order)
            continue;
        *order = (struct room_order){{.run = run_order}, shared->peers[i], descriptor};
        mailbox_post(&order->worker->mailbox, &order->message);
    }
}

static bool has_waiting_clients(const struct worker *w)
{
    return !list_empty(&w->idle_clients) || !list_empty(&w->idle_sessions) || !list_empty(&w->head_clients);
}

/* For a client, a connection to a backend is closed only where no client will be: the next request would have to make it anew. */
static bool close_for_client(struct worker *w)
{
    return close_client(w) || (!has_waiting_clients(w) && pool_close_one(w));
}

bool room_make_descriptor(struct worker *w, bool for_origin)
{
    if (for_origin ? pool_close_one(w) || close_client(w) : close_for_client(w))
        return true;
    ask_others(w, true);
    return false;
}

/* ---- places */

static uint64_t most_clients(const struct worker *w)
{
    uint64_t most = worker_settings(w)->connections;

    return most ? most : w->shared->clients_most;
}

static bool take_place(struct worker *w, bool make)
{
    struct quota *clients = &w->shared->counts->clients;

    if (LIKELY(quota_take(clients, most_clients(w))))
        return true;
    if (!make)
        return false;
    if (close_client(w))
        return quota_take(clients, most_clients(w));
    ask_others(w, false);
    return false;
}

static bool take_descriptor(struct worker *w, bool make, bool for_origin)
{
    struct quota *descriptors = &w->shared->counts->descriptors;

    if (LIKELY(quota_take(descriptors, w->shared->descriptors_most)))
        return true;
    return make && room_make_descriptor(w, for_origin) && quota_take(descriptors, w->shared->descriptors_most);
}

bool room_take_client(struct worker *w, bool make)
{
    if (!take_place(w, make))
        return false;
    if (take_descriptor(w, make, false))
        return true;
    quota_give(&w->shared->counts->clients);
    return false;
}

void room_give_client(struct worker *w)
{
    quota_give(&w->shared->counts->clients);
    quota_give(&w->shared->counts->descriptors);
}

bool room_take_origin(struct worker *w)
{
    return take_descriptor(w, true, true);
}

void room_give_origin(struct worker *w)
{
    quota_give(&w->shared->counts->descriptors);
}

/* ---- addresses */

static void tell_refused(struct worker *w, const struct address *peer, uint64_t most)
{
    char text[ADDRESS_TEXT_SIZE];

    if (w->told_address_ms && w->now_ms - w->told_address_ms < TELL_EVERY_MS)
        return;
    w->told_address_ms = w->now_ms;
    address_format(peer, text);
    log_write(LOG_WARN, "connections of an address are refused", "client=%s limit=%llu", text, (unsigned long long)most);
}

bool room_admit_address(struct worker *w, const struct address *peer, bool *counted)
{
    const struct settings *settings = worker_settings(w);
    uint64_t most = settings->connections_per_address;
    uint8_t ip[16];

    *counted = false;
    if (!most || forward_is_trusted(settings, peer))
        return true;
    *counted = address_count_take(w->shared->counts->addresses, ip, address_ip_bytes(peer, ip), most);
    if (!*counted)
        tell_refused(w, peer, most);
    return *counted;
}

void room_leave_address(struct worker *w, const struct address *peer)
{
    uint8_t ip[16];
    size_t len = address_ip_bytes(peer, ip);

    address_count_give(w->shared->counts->addresses, ip, len);
}
