#include "control/registry.h"

#include "base/need.h"
#include "control/control.h"
#include "control/registry_state.h"
#include "guard/guess_delay.h"
#include "tls/registry_context.h"

#include <stdlib.h>

/* How many connections an address has; in registry.by_address as long as it has one. */
struct registry_address {
    unsigned count;
};

static struct slice serial_key(const uint64_t *serial)
{
    return slice_of((const char *)serial, sizeof(*serial));
}

static struct slice address_key(const struct address *peer, uint8_t out[16])
{
    return slice_of((const char *)out, address_ip_bytes(peer, out));
}

unsigned registry_count_from(const struct registry *r, const struct address *peer)
{
    const struct registry_address *from;
    uint8_t ip[16];

    from = map_get(r->by_address, address_key(peer, ip));
    return from ? from->count : 0;
}

static void count_in(struct registry *r, const struct address *peer)
{
    struct registry_address *from;
    uint8_t ip[16];
    struct slice key = address_key(peer, ip);

    r->count++;
    from = map_get(r->by_address, key);
    if (!from) {
        from = need_zeroed(1, sizeof(*from));
        map_set(r->by_address, key, from);
    }
    from->count++;
}

static void count_out(struct registry *r, const struct address *peer)
{
    struct registry_address *from;
    uint8_t ip[16];
    struct slice key = address_key(peer, ip);

    r->count--;
    from = map_get(r->by_address, key);
    CHECK(from && from->count > 0);
    if (--from->count > 0)
        return;
    map_remove(r->by_address, key);
    free(from);
}

unsigned registry_count_most(const struct control *c)
{
    unsigned most = 0;
    size_t cursor = 0;
    void *value;

    while (map_next(c->registry->by_address, &cursor, NULL, &value)) {
        const struct registry_address *from = value;

        if (from->count > most)
            most = from->count;
    }
    return most;
}

struct connection *registry_add(struct registry *r, const struct transport *transport, bool tls,
                                const struct address *peer, bool surplus)
{
    struct connection *conn = connection_new(r->control, r, r->next_serial++, transport, tls, peer);

    list_push_back(&r->connections, &conn->link);
    map_set(r->by_serial, serial_key(&conn->serial), conn);
    conn->surplus = surplus;
    if (surplus)
        r->surplus++;
    else
        count_in(r, peer);
    return conn;
}

void registry_retire(struct registry *r, struct connection *conn)
{
    ASSERT_CONTROL();
    list_remove(&conn->link);
    list_push_back(&r->closed, &conn->link);
    CHECK(map_remove(r->by_serial, serial_key(&conn->serial)) == conn);
    if (conn->surplus)
        r->surplus--;
    else
        count_out(r, &conn->peer);
    ev_prepare_start(r->control->loop, &r->reap);
}

struct connection *registry_take(struct control *c, int fd, const struct address *peer)
{
    struct transport transport;

    ASSERT_CONTROL();
    transport_open_tcp(&transport, fd);
    return registry_add(c->registry, &transport, false, peer, false);
}

void registry_new(struct control *c)
{
    struct registry *r = need_zeroed(1, sizeof(*r));

    ASSERT_CONTROL();
    r->control = c;
    r->next_serial = 1;
    list_init(&r->connections);
    list_init(&r->closed);
    r->by_serial = map_new();
    r->by_address = map_new();
    r->guesses = guesses_new();
    registry_doors_init(r);
    registry_turn_init(r);
    c->registry = r;
}

void registry_close(struct control *c)
{
    struct registry *r = c->registry;
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (!r)
        return;
    registry_doors_close(r);
    LIST_EACH (node, tmp, &r->connections) {
        struct connection *conn = CONTAINER_OF(node, struct connection, link);

        connection_unbind(conn);
        connection_abort(conn, CONNECTION_END_SHUTDOWN);
    }
    registry_turn_fini(r);
    map_free(r->by_serial);
    map_free(r->by_address);
    guesses_free(r->guesses);
    tls_registry_free(r->tls);
    free(r);
    c->registry = NULL;
}

unsigned registry_count(const struct control *c)
{
    return c->registry->count;
}

void registry_each(const struct control *c, void (*fn)(struct connection *conn, void *arg), void *arg)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    /* fn may close the connection that it was given, no other. */
    LIST_EACH (node, tmp, &c->registry->connections) {
        struct connection *conn = CONTAINER_OF(node, struct connection, link);

        if (conn->phase == CONNECTION_OPEN)
            fn(conn, arg);
    }
}

static void send_shutdown(struct connection *conn, void *arg)
{
    (void)arg;
    connection_send(conn, SLICE("SHUTDOWN"));
}

void registry_shutdown(struct control *c)
{
    ASSERT_CONTROL();
    if (!c->registry)
        return;
    registry_doors_close(c->registry);
    registry_each(c, send_shutdown, NULL);
}

struct connection *registry_find(struct control *c, uint64_t serial)
{
    ASSERT_CONTROL();
    return c->registry ? map_get(c->registry->by_serial, serial_key(&serial)) : NULL;
}

void registry_answer(struct control *c, uint64_t serial, struct slice line)
{
    struct connection *conn = registry_find(c, serial);

    ASSERT_CONTROL();
    if (!conn)
        return;
    CHECK(conn->waiting);
    conn->waiting = false;
    connection_send(conn, line);
    if (conn->phase != CONNECTION_CLOSED)
        registry_again(c->registry, conn);
}
