/* floor.c - the least that a proxy of HTTP/1.1 does: the unit of the benchmarks.
 *
 * A relay on libev that parses both directions with http-parser, looks the Host up in a table and
 * keeps connections to the backend in a pool. It rewrites nothing, checks nothing, counts nothing,
 * has no time-outs and no pipelining. What a proxy costs beyond it is the price of what it does.
 *
 * usage: bench-floor BACKEND_PORT
 *
 * Prints "listening PORT" when it accepts. The table holds a thousand names; any other goes to the
 * same backend. */
#include <errno.h>
#include <ev.h>
#include <http_parser.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 65536, HOST_MAX = 128, HOSTS = 1000, SLOTS = 4096 };

/* One connection: what it has still to send, and whose bytes those are. */
struct side {
    int fd;
    bool connecting;
    ev_io read, write;
    http_parser parser;
    char *out; /* what the kernel did not take, NULL: nothing */
    size_t at, end;
    struct side *peer; /* an origin's client, a client's origin, or NULL */
};

struct client {
    struct side side; /* first */
    bool in_host, host_known, request_done, last, closing;
    size_t host_len;
    char host[HOST_MAX];
    size_t early_len; /* bytes of a head that is not complete */
    char early[16384];
};

struct origin {
    struct side side; /* first */
    bool answered;
    struct origin *next; /* in the pool */
};

struct host {
    struct sockaddr_in address;
    char name[HOST_MAX];
};

static struct ev_loop *loop;
static struct origin *pool;
static struct host *hosts[SLOTS];
static struct sockaddr_in default_address = {.sin_family = AF_INET};
static char piece[PIECE];

static void on_origin_read(struct ev_loop *l, ev_io *w, int events);
static void on_client_read(struct ev_loop *l, ev_io *w, int events);

/* Where a name is in the table, or would be. */
static struct host **slot_of(const char *name, size_t len)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)name[i]) * 16777619U;
    while (hosts[hash % SLOTS] && (strncasecmp(hosts[hash % SLOTS]->name, name, len) != 0 ||
                                   hosts[hash % SLOTS]->name[len]))
        hash++;
    return &hosts[hash % SLOTS];
}

static void side_close(struct side *s)
{
    ev_io_stop(loop, &s->read);
    ev_io_stop(loop, &s->write);
    close(s->fd);
    free(s->out);
    if (s->peer)
        s->peer->peer = NULL;
    free(s);
}

/* Both ends: what is half-done is of use to nobody. */
static void break_off(struct side *s)
{
    if (s->peer)
        side_close(s->peer);
    side_close(s);
}

static void keep_rest(struct side *s, const char *data, size_t len)
{
    s->out = realloc(s->out, s->end + len);
    if (!s->out)
        abort();
    memcpy(s->out + s->end, data, len);
    s->end += len;
    ev_io_start(loop, &s->write);
    if (s->peer)
        ev_io_stop(loop, &s->peer->read);
}

/* Sends, or keeps for later; false: the connection is broken. */
static bool side_send(struct side *s, const char *data, size_t len)
{
    ssize_t put = 0;

    if (!s->out && !s->connecting)
        put = send(s->fd, data, len, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN)
        return false;
    put = put > 0 ? put : 0;
    if ((size_t)put < len)
        keep_rest(s, data + put, len - (size_t)put);
    return true;
}

static void on_write(struct ev_loop *l, ev_io *w, int events)
{
    struct side *s = w->data;
    ssize_t put;

    (void)l, (void)events;
    s->connecting = false;
    put = send(s->fd, s->out + s->at, s->end - s->at, MSG_NOSIGNAL);
    if (put < 0 && errno != EAGAIN) {
        break_off(s);
        return;
    }
    s->at += put > 0 ? (size_t)put : 0;
    if (s->at < s->end)
        return;
    free(s->out);
    s->out = NULL;
    s->at = s->end = 0;
    ev_io_stop(loop, &s->write);
    if (s->peer)
        ev_io_start(loop, &s->peer->read);
    else if (s->read.cb == on_client_read && ((struct client *)s)->closing)
        side_close(s);
}

static void side_open(struct side *s, int fd, enum http_parser_type type,
                      void (*cb)(struct ev_loop *, ev_io *, int))
{
    int on = 1;

    s->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    http_parser_init(&s->parser, type);
    s->parser.data = s;
    ev_io_init(&s->read, cb, fd, EV_READ);
    ev_io_init(&s->write, on_write, fd, EV_WRITE);
    s->read.data = s->write.data = s;
    ev_io_start(loop, &s->read);
}

/* A kept connection or a new one; NULL: there is none to be had. */
static struct origin *take_origin(const struct sockaddr_in *address)
{
    struct origin *o = pool;
    int fd;

    if (o) {
        pool = o->next;
        return o;
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
        errno != EINPROGRESS) {
        close(fd);
        return NULL;
    }
    o = calloc(1, sizeof(*o));
    if (!o)
        abort();
    o->side.connecting = true;
    side_open(&o->side, fd, HTTP_RESPONSE, on_origin_read);
    return o;
}

/* Connection is for us alone: its name is spoiled in place (always in piece), for the backend. */
static int on_field(http_parser *p, const char *at, size_t len)
{
    ((struct client *)p->data)->in_host = len == 4 && strncasecmp(at, "Host", 4) == 0;
    if (len == 10 && strncasecmp(at, "Connection", 10) == 0)
        piece[at - piece] = 'X';
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    struct client *c = p->data;

    if (c->in_host && c->host_len + len < HOST_MAX) {
        memcpy(c->host + c->host_len, at, len);
        c->host_len += len;
    }
    return 0;
}

static int on_request_head(http_parser *p)
{
    ((struct client *)p->data)->host_known = true;
    return 0;
}

static int on_request_end(http_parser *p)
{
    struct client *c = p->data;

    c->request_done = true;
    c->last = !http_should_keep_alive(p);
    return 0;
}

static int on_response_end(http_parser *p)
{
    ((struct origin *)p->data)->answered = true;
    return 0;
}

static const http_parser_settings request_settings = {
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_request_head,
    .on_message_complete = on_request_end,
};
static const http_parser_settings response_settings = {.on_message_complete = on_response_end};

/* The head is complete: where does it go? What of it came before goes first. */
static bool find_origin(struct client *c)
{
    struct host *h = *slot_of(c->host, c->host_len);
    struct origin *o = take_origin(h ? &h->address : &default_address);

    if (!o)
        return false;
    o->answered = false;
    o->side.peer = &c->side;
    c->side.peer = &o->side;
    return !c->early_len || side_send(&o->side, c->early, c->early_len);
}

static bool relay_request(struct client *c, size_t len)
{
    if (http_parser_execute(&c->side.parser, &request_settings, piece, len) != len)
        return false;
    if (!c->host_known) {
        if (c->early_len + len > sizeof(c->early))
            return false;
        memcpy(c->early + c->early_len, piece, len);
        c->early_len += len;
        return true;
    }
    if (!c->side.peer && !find_origin(c))
        return false;
    return side_send(c->side.peer, piece, len);
}

static void on_client_read(struct ev_loop *l, ev_io *w, int events)
{
    struct client *c = w->data;
    ssize_t got = recv(c->side.fd, piece, PIECE, 0);

    (void)l, (void)events;
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || !relay_request(c, (size_t)got))
        break_off(&c->side);
}

/* An exchange is over: the backend's connection goes to the pool, the client's waits for another.
 */
static void finish(struct client *c, struct origin *o)
{
    bool kept = c->request_done && http_should_keep_alive(&o->side.parser);

    c->side.peer = o->side.peer = NULL;
    c->host_known = c->request_done = c->in_host = false;
    c->host_len = c->early_len = 0;
    if (kept) {
        o->next = pool;
        pool = o;
    } else {
        side_close(&o->side);
    }
    if (!c->last)
        return;
    c->closing = true;
    ev_io_stop(loop, &c->side.read);
    if (!c->side.out)
        side_close(&c->side);
}

static void pool_remove(struct origin *o)
{
    struct origin **at = &pool;

    while (*at && *at != o)
        at = &(*at)->next;
    if (*at)
        *at = o->next;
}

static bool relay_answer(struct origin *o, size_t len)
{
    return http_parser_execute(&o->side.parser, &response_settings, piece, len) == len &&
           side_send(o->side.peer, piece, len);
}

static void on_origin_read(struct ev_loop *l, ev_io *w, int events)
{
    struct origin *o = w->data;
    struct client *c = (struct client *)o->side.peer;
    ssize_t got = recv(o->side.fd, piece, PIECE, 0);

    (void)l, (void)events;
    if (got < 0 && errno == EAGAIN)
        return;
    if (!c)
        pool_remove(o); /* nobody asked: it has ended */
    if (!c || got <= 0 || !relay_answer(o, (size_t)got))
        break_off(&o->side);
    else if (o->answered)
        finish(c, o);
}

static void on_accept(struct ev_loop *l, ev_io *w, int events)
{
    int fd;

    (void)l, (void)events;
    while ((fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *c = malloc(sizeof(*c));

        if (!c)
            abort();
        memset(c, 0, offsetof(struct client, early));
        side_open(&c->side, fd, HTTP_REQUEST, on_client_read);
    }
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&address, &size)) {
        perror("listen");
        exit(1);
    }
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void fill_table(void)
{
    for (unsigned i = 0; i < HOSTS; i++) {
        struct host *h = calloc(1, sizeof(*h));

        if (!h)
            abort();
        snprintf(h->name, sizeof(h->name), "h%u.example", i);
        h->address = default_address;
        *slot_of(h->name, strlen(h->name)) = h;
    }
}

int main(int argc, char **argv)
{
    ev_io listener;

    if (argc != 2)
        return 2;
    default_address.sin_port = htons((uint16_t)atoi(argv[1]));
    default_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fill_table();
    loop = ev_default_loop(0);
    ev_io_init(&listener, on_accept, listen_somewhere(), EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
    return 0;
}
