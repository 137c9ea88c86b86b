#include "control/registry.h"

#include "base/log.h"
#include "base/map.h"
#include "base/need.h"
#include "control/control.h"
#include "tls/registry_context.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { ACCEPTS = 16, KEEPALIVE_IDLE_S = 30, KEEPALIVE_INTERVAL_S = 10, PAUSE_MS = 100 };

/* A listener. */
struct door {
    struct registry *registry;
    int fd; /* -1: none, or after registry_shutdown */
    bool tls;
    ev_io accept;
};

struct registry {
    struct control *control;
    struct door plain, secure;
    struct tls_registry *tls; /* of the secure door; NULL without it */
    uint64_t next_serial;
    unsigned count;          /* open connections */
    struct list connections; /* open */
    struct list closed;      /* to be freed at the end of the turn */
    struct list again;       /* with lines left for the next turn */
    struct map *by_serial;   /* open connections */
    ev_timer pause;  /* until accepting is tried again after descriptors ran out */
    ev_timer next;   /* starts the next turn at once; runs while again is not empty */
    ev_prepare reap; /* runs while closed is not empty */
};

static struct slice serial_key(const uint64_t *serial)
{
    return slice_of((const char *)serial, sizeof(*serial));
}

void registry_again(struct registry *r, struct connection *conn)
{
    ASSERT_CONTROL();
    if (list_empty(&conn->again))
        list_push_back(&r->again, &conn->again);
    if (!ev_is_active(&r->next)) {
        ev_timer_set(&r->next, 0., 0.);
        ev_timer_start(r->control->loop, &r->next);
    }
}

static void on_next(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct registry *r = timer->data;
    struct list now;

    (void)loop;
    (void)events;
    if (list_empty(&r->again))
        return;
    now = r->again;
    now.next->prev = now.prev->next = &now;
    list_init(&r->again);
    while (!list_empty(&now)) {
        struct connection *conn = CONTAINER_OF(now.next, struct connection, again);

        list_remove(&conn->again);
        connection_run(conn);
    }
}

void registry_retire(struct registry *r, struct connection *conn)
{
    ASSERT_CONTROL();
    list_remove(&conn->again);
    list_remove(&conn->link);
    list_push_back(&r->closed, &conn->link);
    CHECK(map_remove(r->by_serial, serial_key(&conn->serial)) == conn);
    r->count--;
    ev_prepare_start(r->control->loop, &r->reap);
}

static void free_closed(struct registry *r)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &r->closed)
        connection_free(CONTAINER_OF(node, struct connection, link));
}

static void on_reap(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)events;
    free_closed(watcher->data);
    ev_prepare_stop(loop, watcher);
}

static struct connection *add(struct registry *r, const struct transport *transport, bool tls,
                              const struct address *peer)
{
    struct connection *conn = connection_new(r->control, r, r->next_serial++, transport, tls, peer);

    list_push_back(&r->connections, &conn->link);
    map_set(r->by_serial, serial_key(&conn->serial), conn);
    r->count++;
    return conn;
}

struct connection *registry_take(struct control *c, int fd, const struct address *peer)
{
    struct transport transport;

    ASSERT_CONTROL();
    transport_open_tcp(&transport, fd);
    return add(c->registry, &transport, false, peer);
}

static void watch(struct door *door, bool on)
{
    struct ev_loop *loop = door->registry->control->loop;

    if (on && door->fd >= 0)
        ev_io_start(loop, &door->accept);
    else
        ev_io_stop(loop, &door->accept);
}

static void refuse_surplus(struct connection *conn)
{
    /* Over TLS even a word would cost the handshake that the limit is there to save. */
    if (conn->phase == CONNECTION_HANDSHAKE) {
        connection_abort(conn, "too many connections");
        return;
    }
    connection_send(conn, SLICE("ERROR|too many connections"));
    connection_close(conn);
}

static bool open_transport(const struct door *door, struct transport *t, int fd)
{
    if (door->tls)
        return tls_registry_open(door->registry->tls, t, fd);
    transport_open_tcp(t, fd);
    return true;
}

/* Takes one connection; false when none is waiting or none can be taken now. */
static bool accept_one(struct door *door)
{
    struct registry *r = door->registry;
    struct address peer;
    int fd = sock_accept(door->fd, &peer);
    struct transport transport;
    struct connection *conn;

    if (fd == -EAGAIN)
        return false;
    if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
        log_write(LOG_ERROR, "registry cannot accept", "error=\"%s\"", strerror(-fd));
        watch(&r->plain, false);
        watch(&r->secure, false);
        ev_timer_set(&r->pause, PAUSE_MS / 1000.0, 0.);
        ev_timer_start(r->control->loop, &r->pause);
        return false;
    }
    if (fd < 0)
        return true; /* that one gave up before it was taken */
    sock_keepalive(fd, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S);
    if (!open_transport(door, &transport, fd)) {
        close(fd);
        return true;
    }
    conn = add(r, &transport, door->tls, &peer);
    if (r->count > r->control->settings->registry_connections)
        refuse_surplus(conn);
    return true;
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct door *door = io->data;

    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPTS && accept_one(door); i++)
        ;
}

static void on_pause_ended(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct registry *r = timer->data;

    (void)loop;
    (void)events;
    watch(&r->plain, true);
    watch(&r->secure, true);
}

static void door_init(struct door *door, struct registry *r, bool tls)
{
    door->registry = r;
    door->fd = -1;
    door->tls = tls;
    ev_io_init(&door->accept, on_accept, -1, EV_READ);
    door->accept.data = door;
}

/* 0 or -errno. */
static int door_open(struct door *door, const struct address *listen)
{
    int fd = sock_listen(listen, false);

    if (fd < 0)
        return fd;
    door->fd = fd;
    ev_io_set(&door->accept, fd, EV_READ);
    watch(door, true);
    return 0;
}

void registry_new(struct control *c)
{
    struct registry *r = need_zeroed(1, sizeof(*r));

    ASSERT_CONTROL();
    r->control = c;
    door_init(&r->plain, r, false);
    door_init(&r->secure, r, true);
    r->next_serial = 1;
    list_init(&r->connections);
    list_init(&r->closed);
    list_init(&r->again);
    r->by_serial = map_new();
    ev_init(&r->pause, on_pause_ended);
    ev_init(&r->next, on_next);
    ev_prepare_init(&r->reap, on_reap);
    r->pause.data = r->next.data = r->reap.data = r;
    c->registry = r;
}

int registry_open(struct control *c, const struct address *listen)
{
    ASSERT_CONTROL();
    return door_open(&c->registry->plain, listen);
}

int registry_open_tls(struct control *c, const struct address *listen)
{
    ASSERT_CONTROL();
    CHECK(c->registry->tls);
    return door_open(&c->registry->secure, listen);
}

void registry_set_tls(struct control *c, struct tls_registry *tls)
{
    ASSERT_CONTROL();
    tls_registry_free(c->registry->tls);
    c->registry->tls = tls;
}

static void door_close(struct door *door)
{
    watch(door, false);
    if (door->fd >= 0)
        close(door->fd);
    door->fd = -1;
}

static void stop_accepting(struct registry *r)
{
    ev_timer_stop(r->control->loop, &r->pause);
    door_close(&r->plain);
    door_close(&r->secure);
}

void registry_close(struct control *c)
{
    struct registry *r = c->registry;
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (!r)
        return;
    stop_accepting(r);
    LIST_EACH (node, tmp, &r->connections) {
        struct connection *conn = CONTAINER_OF(node, struct connection, link);

        connection_unbind(conn);
        connection_abort(conn, "registry closed");
    }
    free_closed(r);
    ev_prepare_stop(c->loop, &r->reap);
    ev_timer_stop(c->loop, &r->next);
    map_free(r->by_serial);
    tls_registry_free(r->tls);
    free(r);
    c->registry = NULL;
}

int registry_address(const struct control *c, bool tls, struct address *out)
{
    const struct door *door = tls ? &c->registry->secure : &c->registry->plain;

    return door->fd < 0 ? -ENOTCONN : sock_local_address(door->fd, out);
}

unsigned registry_count(const struct control *c)
{
    return c->registry->count;
}

void registry_each(struct control *c, void (*fn)(struct connection *conn, void *arg), void *arg)
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
    stop_accepting(c->registry);
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
