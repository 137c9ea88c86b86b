/* The registry's listeners: who is let in, and who is told that there is no room. */
#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "control/registry_state.h"
#include "tls/registry_context.h"

#include <errno.h>
#include <unistd.h>

enum {
    ACCEPTS = 16, /* of one door in a turn */
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 10,
    PAUSE_MS = 100,
    TELL_EVERY_MS = 10000,
    TOLD_PART = 8, /* of those that may be connected */
    TOLD_MAX = 64 /* refused connections that are told so at a time; more are just closed */
};

static void watch(struct door *door, bool on)
{
    struct ev_loop *loop = door->registry->control->loop;

    if (on && door->fd >= 0)
        ev_io_start(loop, &door->accept);
    else
        ev_io_stop(loop, &door->accept);
}

/* The oldest connection that speaks for no session, hears no events and waits for nothing; from: of this address only.
 * NULL: there is none. */
static struct connection *oldest_stranger(struct registry *r, const struct address *from)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &r->connections) {
        struct connection *conn = CONTAINER_OF(node, struct connection, link);

        if (!conn->surplus && !conn->lines_due && connection_is_stranger(conn) &&
            (!from || address_same_host(&conn->peer, from)))
            return conn;
    }
    return NULL;
}

/* Is there a place for one more from peer? The oldest stranger has to give up its own: so in a flood of connections each
 * has as much time to say who it is as it takes to replace all strangers, and none is kept out. */
static bool has_place(struct registry *r, const struct address *peer, struct error *err)
{
    struct control *c = r->control;
    struct connection *stranger;
    bool crowded = r->count >= registry_limit_value(c, REGISTRY_LIMIT_CONNECTIONS);
    unsigned from_there = registry_count_from(r, peer);

    if (from_there >= registry_limit_value(c, REGISTRY_LIMIT_ADDRESS)) {
        stranger = oldest_stranger(r, peer);
        if (!stranger)
            return registry_within(c, REGISTRY_LIMIT_ADDRESS, from_there + 1, err);
        connection_abort(stranger, CONNECTION_END_MADE_ROOM);
    } else if (crowded) {
        stranger = oldest_stranger(r, NULL);
        if (!stranger)
            return registry_within(c, REGISTRY_LIMIT_CONNECTIONS, r->count + 1, err);
        connection_abort(stranger, CONNECTION_END_MADE_ROOM);
    }
    return true;
}

static bool open_transport(const struct door *door, struct transport *t, int fd)
{
    if (door->tls)
        return tls_registry_open(door->registry->tls, t, fd);
    transport_open_tcp(t, fd);
    return true;
}

/* Over TLS even a word would cost the handshake that the limit is there to save. */
static void refuse(struct door *door, int fd, const struct address *peer, const struct error *why)
{
    struct registry *r = door->registry;
    struct transport transport;
    struct connection *conn;

    if (door->tls || r->surplus >= TOLD_MAX || r->surplus > r->control->registry_most / TOLD_PART) {
        r->control->counts.ended[CONNECTION_END_SURPLUS]++;
        sock_close_reset(fd);
        return;
    }
    transport_open_tcp(&transport, fd);
    conn = registry_add(r, &transport, false, peer, true);
    connection_dismiss(conn, CONNECTION_END_SURPLUS, why->text);
}

static void admit(struct door *door, int fd, const struct address *peer)
{
    struct registry *r = door->registry;
    struct transport transport;
    struct error err;

    r->control->counts.accepted++;
    if (!has_place(r, peer, &err)) {
        refuse(door, fd, peer, &err);
        return;
    }
    sock_keepalive(fd, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S);
    if (open_transport(door, &transport, fd))
        (void)registry_add(r, &transport, door->tls, peer, false);
    else
        close(fd);
}

static void pause_accepting(struct registry *r, int error)
{
    uint64_t now_ms = clock_ms();

    watch(&r->plain, false);
    watch(&r->secure, false);
    ev_timer_set(&r->pause, PAUSE_MS / 1000.0, 0.);
    ev_timer_start(r->control->loop, &r->pause);
    if (r->told_pause_ms && now_ms - r->told_pause_ms < TELL_EVERY_MS)
        return;
    r->told_pause_ms = now_ms;
    log_write(LOG_ERROR, "registry cannot accept", "error=\"%s\"", strerror(-error));
}

/* Takes one connection; false when none is waiting or none can be taken now. */
static bool accept_one(struct door *door)
{
    struct registry *r = door->registry;
    struct address peer;
    int fd = sock_accept(door->fd, &peer);

    if (fd == -EAGAIN)
        return false;
    if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
        pause_accepting(r, fd);
        return false;
    }
    if (fd >= 0) /* else that one gave up before it was taken */
        admit(door, fd, &peer);
    return true;
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
    struct door *door = io->data;

    (void)loop;
    if (UNLIKELY(events & EV_ERROR)) {
        pause_accepting(door->registry, -ENOMEM);
        return;
    }
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

static void door_close(struct door *door)
{
    watch(door, false);
    if (door->fd >= 0)
        close(door->fd);
    door->fd = -1;
}

void registry_doors_init(struct registry *r)
{
    door_init(&r->plain, r, false);
    door_init(&r->secure, r, true);
    ev_init(&r->pause, on_pause_ended);
    r->pause.data = r;
}

void registry_doors_close(struct registry *r)
{
    ev_timer_stop(r->control->loop, &r->pause);
    door_close(&r->plain);
    door_close(&r->secure);
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

int registry_address(const struct control *c, bool tls, struct address *out)
{
    const struct door *door = tls ? &c->registry->secure : &c->registry->plain;

    return door->fd < 0 ? -ENOTCONN : sock_local_address(door->fd, out);
}
