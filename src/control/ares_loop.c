#include "control/ares_loop.h"

#include "base/check.h"
#include "base/late.h"
#include "base/list.h"
#include "base/need.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 2 };

/* One of c-ares' sockets. */
struct ares_socket {
    struct list link;
    struct ares_loop *owner;
    ev_io io;
};

struct ares_loop {
    struct ev_loop *loop;
    ares_channel channel;
    struct list sockets;
    ev_timer timer; /* when c-ares wants to look after its queries */
};

static void update_timer(struct ares_loop *al)
{
    struct timeval tv;

    ev_timer_stop(al->loop, &al->timer);
    if (!ares_timeout(al->channel, NULL, &tv))
        return;
    ev_timer_set(&al->timer, (double)tv.tv_sec + (double)tv.tv_usec / 1e6 + 0.001, 0);
    ev_timer_start(al->loop, &al->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct ares_loop *al = w->data;

    (void)revents;
    if (late_put_off(loop, w))
        return;
    ares_process_fd(al->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    update_timer(al);
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
    struct ares_loop *al = ((struct ares_socket *)w->data)->owner;
    int fd = w->fd;

    (void)loop;
    /* w may be freed by the socket state callback on the way. */
    ares_process_fd(al->channel, revents & EV_READ ? fd : ARES_SOCKET_BAD,
                    revents & EV_WRITE ? fd : ARES_SOCKET_BAD);
    update_timer(al);
}

static struct ares_socket *find_socket(struct ares_loop *al, int fd)
{
    struct list *at, *tmp;

    LIST_EACH (at, tmp, &al->sockets) {
        struct ares_socket *s = CONTAINER_OF(at, struct ares_socket, link);

        if (s->io.fd == fd)
            return s;
    }
    return NULL;
}

static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct ares_loop *al = arg;
    struct ares_socket *s = find_socket(al, fd);

    if (s) {
        ev_io_stop(al->loop, &s->io);
    } else {
        s = need_zeroed(1, sizeof(*s));
        s->owner = al;
        ev_init(&s->io, on_io);
        s->io.data = s;
        list_push_back(&al->sockets, &s->link);
    }
    if (!readable && !writable) {
        list_remove(&s->link);
        free(s);
        return;
    }
    ev_io_set(&s->io, fd, (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
    ev_io_start(al->loop, &s->io);
}

struct ares_loop *ares_loop_new(struct ev_loop *loop, const char *servers, uint64_t timeout_ms,
                                int *status)
{
    struct ares_loop *al = need_zeroed(1, sizeof(*al));
    struct ares_options options = {
        .timeout = (int)timeout_ms,
        .tries = TRIES,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = al,
    };

    al->loop = loop;
    list_init(&al->sockets);
    ev_init(&al->timer, on_timer);
    late_init(&al->timer);
    al->timer.data = al;
    *status = ares_init_options(&al->channel, &options,
                                ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (*status != ARES_SUCCESS) {
        free(al);
        return NULL;
    }
    if (servers)
        *status = ares_set_servers_ports_csv(al->channel, servers);
    if (*status != ARES_SUCCESS) {
        ares_loop_free(al);
        return NULL;
    }
    return al;
}

void ares_loop_free(struct ares_loop *al)
{
    if (!al)
        return;
    ares_destroy(al->channel);
    CHECK(list_empty(&al->sockets));
    ev_timer_stop(al->loop, &al->timer);
    free(al);
}

void ares_loop_query(struct ares_loop *al, const char *name, ares_addrinfo_callback done, void *arg)
{
    struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC};

    ares_getaddrinfo(al->channel, name, NULL, &hints, done, arg);
    update_timer(al);
}

static int compare_addresses(const void *a, const void *b)
{
    uint8_t x[16], y[16];
    size_t nx = address_ip_bytes(a, x), ny = address_ip_bytes(b, y);

    return nx != ny ? (nx < ny ? -1 : 1) : memcmp(x, y, nx);
}

static bool is_address(const struct ares_addrinfo_node *node)
{
    return node->ai_family == AF_INET || node->ai_family == AF_INET6;
}

/* All addresses of an answer: *count of them, the caller frees. */
static struct address *copy_addresses(const struct ares_addrinfo_node *nodes, unsigned *count, int *ttl)
{
    struct address *all;
    unsigned n = 0;

    for (const struct ares_addrinfo_node *node = nodes; node; node = node->ai_next)
        n += is_address(node);
    all = need_zeroed(n + 1, sizeof(*all));
    n = 0;
    for (const struct ares_addrinfo_node *node = nodes; node; node = node->ai_next) {
        if (!is_address(node))
            continue;
        if (node->ai_family == AF_INET)
            all[n].v4 = *(const struct sockaddr_in *)(const void *)node->ai_addr;
        else
            all[n].v6 = *(const struct sockaddr_in6 *)(const void *)node->ai_addr;
        if (n++ == 0 || node->ai_ttl < *ttl)
            *ttl = node->ai_ttl;
    }
    *count = n;
    return all;
}

/* Sorted before it is cut: a server that deals out many in turns gives the same ones each time. */
unsigned ares_loop_addresses(const struct ares_addrinfo *answer,
                             struct address out[ARES_LOOP_ADDRESSES], int *ttl)
{
    unsigned n, unique = 0;
    struct address *all = copy_addresses(answer->nodes, &n, ttl);

    qsort(all, n, sizeof(*all), compare_addresses);
    for (unsigned i = 0; i < n && unique < ARES_LOOP_ADDRESSES; i++) {
        if (unique == 0 || compare_addresses(&out[unique - 1], &all[i]) != 0)
            out[unique++] = all[i];
    }
    free(all);
    return unique;
}

const char *ares_loop_status(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return "no such name";
    case ARES_ENODATA:
        return "name has no address";
    case ARES_ETIMEOUT:
        return "timed out";
    case ARES_ECONNREFUSED:
        return "name server does not answer";
    case ARES_ESERVFAIL:
        return "name server failed";
    case ARES_EBADNAME:
        return "not a valid name";
    }
    return ares_strerror(status);
}

const char *ares_loop_version(void)
{
    return ares_version(NULL);
}
