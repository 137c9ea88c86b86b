/* origin_server.c - an HTTP/1.1 backend as a process of its own: for load, kill -9, benchmarks.
 *
 * Answers every request with the same response, over kept connections, with one recv and one send a
 * request. Reads bodies of any framing and throws them away.
 *
 * usage: origin-server [--port N] [--name TEXT] [--body TEXT | --size BYTES] [--delay MS]
 *
 * Prints "listening PORT" when it accepts. --port 0 (the default) takes a port from the kernel;
 * --name is sent as X-Origin; --delay waits before each answer. SIGTERM ends it. */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 32768, EVENTS = 256, MAX_LINE = 256 };

enum place { AT_HEAD, AT_BODY, AT_CHUNK_SIZE, AT_CHUNK_DATA, AT_TRAILER };

struct conn {
    int fd;
    enum place place;
    bool head_only; /* the request being read is HEAD */
    bool last;      /* close after its answer */
    bool chunked;
    bool wants_write; /* EPOLLOUT is asked for */
    bool queued;      /* in the delay queue */
    uint64_t due_ms;  /* when it may be answered */
    uint64_t left;    /* bytes of body or chunk still to come */
    size_t sent;      /* of the answer under way */
    size_t to_send;   /* its length; 0: no answer under way */
    size_t fill;      /* bytes in in[] */
    char in[HEAD_MAX];
    struct conn *next; /* in the delay queue */
};

static char *answer; /* head and body */
static size_t answer_size;
static size_t answer_head; /* bytes of the head alone */
static uint64_t delay_ms;
static int epoll_fd;
static struct conn *delayed, **delayed_end = &delayed;

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void close_conn(struct conn *c)
{
    struct conn **at;

    for (at = &delayed; c->queued && *at; at = &(*at)->next) {
        if (*at != c)
            continue;
        *at = c->next;
        if (!*at)
            delayed_end = at;
        break;
    }
    close(c->fd);
    free(c);
}

/* The value of a field in a head that ends with a NUL, or NULL. */
static const char *field(const char *head, const char *name)
{
    size_t len = strlen(name);
    const char *line;

    for (line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " \t");
    }
    return NULL;
}

static bool value_is(const char *value, const char *token)
{
    return value && strncasecmp(value, token, strlen(token)) == 0;
}

static void drop(struct conn *c, size_t count)
{
    c->fill -= count;
    memmove(c->in, c->in + count, c->fill);
}

static void begin_answer(struct conn *c)
{
    c->place = AT_HEAD;
    c->sent = 0;
    c->to_send = c->head_only ? answer_head : answer_size;
    if (!delay_ms)
        return;
    c->due_ms = now_ms() + delay_ms;
    c->queued = true;
    c->next = NULL;
    *delayed_end = c;
    delayed_end = &c->next;
}

/* Each of these takes what it can from in[]; false: more bytes are needed first. */
static bool take_head(struct conn *c)
{
    char *end = memmem(c->in, c->fill, "\r\n\r\n", 4);
    const char *length;

    if (!end)
        return false;
    end[2] = '\0';
    c->head_only = strncmp(c->in, "HEAD ", 5) == 0;
    c->last = value_is(field(c->in, "Connection"), "close") || strstr(c->in, " HTTP/1.0\r\n");
    c->chunked = value_is(field(c->in, "Transfer-Encoding"), "chunked");
    length = field(c->in, "Content-Length");
    c->left = length ? strtoull(length, NULL, 10) : 0;
    if (value_is(field(c->in, "Expect"), "100-continue"))
        (void)!send(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
    drop(c, (size_t)(end + 4 - c->in));
    c->place = c->chunked ? AT_CHUNK_SIZE : AT_BODY;
    return true;
}

static bool take_data(struct conn *c)
{
    size_t take = c->left < c->fill ? (size_t)c->left : c->fill;

    c->left -= take;
    drop(c, take);
    return c->left == 0;
}

static bool take_line(struct conn *c, char *line)
{
    char *end = memchr(c->in, '\n', c->fill);
    size_t size;

    if (!end)
        return false;
    size = (size_t)(end + 1 - c->in);
    snprintf(line, MAX_LINE, "%.*s", (int)size, c->in);
    drop(c, size);
    return true;
}

/* Reads on until a whole request is there (true) or more bytes are needed (false). */
static bool take_request(struct conn *c)
{
    char line[MAX_LINE];

    for (;;) {
        switch (c->place) {
        case AT_HEAD:
            if (!take_head(c))
                return false;
            break;
        case AT_BODY:
            return take_data(c);
        case AT_CHUNK_SIZE:
            if (!take_line(c, line))
                return false;
            c->left = strtoull(line, NULL, 16);
            c->place = c->left ? AT_CHUNK_DATA : AT_TRAILER;
            c->left += 2;
            break;
        case AT_CHUNK_DATA:
            if (!take_data(c))
                return false;
            c->place = AT_CHUNK_SIZE;
            break;
        case AT_TRAILER:
            if (!take_line(c, line))
                return false;
            if (line[0] == '\r' || line[0] == '\n')
                return true;
            break;
        }
    }
}

static void want_write(struct conn *c, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};

    if (c->wants_write == on)
        return;
    c->wants_write = on;
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

/* Sends what is due. 1: all of it, 0: later, -1: the connection is done for (and gone). */
static int send_answer(struct conn *c)
{
    ssize_t put;

    while (c->sent < c->to_send) {
        put = send(c->fd, answer + c->sent, c->to_send - c->sent, MSG_NOSIGNAL);
        if (put < 0 && errno == EAGAIN) {
            want_write(c, true);
            return 0;
        }
        if (put < 0) {
            close_conn(c);
            return -1;
        }
        c->sent += (size_t)put;
    }
    c->to_send = 0;
    want_write(c, false);
    if (c->last) {
        shutdown(c->fd, SHUT_WR);
        close_conn(c);
        return -1;
    }
    return 1;
}

/* Answers all requests that are there. */
static void go_on(struct conn *c)
{
    for (;;) {
        if (c->to_send && !c->queued && send_answer(c) <= 0)
            return;
        if (c->to_send || !take_request(c))
            return;
        begin_answer(c);
    }
}

static void on_readable(struct conn *c)
{
    ssize_t got;

    if (c->fill == sizeof(c->in)) {
        if (!c->to_send)
            close_conn(c); /* a head that does not fit */
        return;
    }
    got = recv(c->fd, c->in + c->fill, sizeof(c->in) - c->fill, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        close_conn(c);
        return;
    }
    c->fill += (size_t)got;
    go_on(c);
}

static void on_accept(int listener)
{
    int fd, on = 1;
    struct conn *c;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN};

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        c = malloc(sizeof(*c));
        if (!c)
            fail("malloc");
        memset(c, 0, offsetof(struct conn, in));
        c->next = NULL;
        c->fd = fd;
        event.data.ptr = c;
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

/* Answers what has waited long enough; returns how long epoll may wait. */
static int run_delayed(void)
{
    uint64_t now;

    while (delayed) {
        struct conn *c = delayed;

        now = now_ms();
        if (c->due_ms > now)
            return (int)(c->due_ms - now);
        delayed = c->next;
        if (!delayed)
            delayed_end = &delayed;
        c->queued = false;
        go_on(c);
    }
    return -1;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096))
        fail("listen");
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void make_answer(const char *name, const char *body, size_t size)
{
    char head[1024];
    int len;

    if (body)
        size = strlen(body);
    len =
        snprintf(head, sizeof(head),
                 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%s%s%s\r\n",
                 size, name ? "X-Origin: " : "", name ? name : "", name ? "\r\n" : "");
    answer_head = (size_t)len;
    answer_size = answer_head + size;
    answer = malloc(answer_size);
    if (!answer)
        fail("malloc");
    memcpy(answer, head, answer_head);
    if (body)
        memcpy(answer + answer_head, body, size);
    else
        memset(answer + answer_head, 'x', size);
}

static int read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},  {"name", required_argument, NULL, 'n'},
        {"body", required_argument, NULL, 'b'},  {"size", required_argument, NULL, 's'},
        {"delay", required_argument, NULL, 'd'}, {NULL, 0, NULL, 0},
    };
    const char *name = NULL, *body = NULL;
    size_t size = 2;
    int port = 0, option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            port = atoi(optarg);
            break;
        case 'n':
            name = optarg;
            break;
        case 'b':
            body = optarg;
            break;
        case 's':
            size = strtoull(optarg, NULL, 10);
            break;
        case 'd':
            delay_ms = strtoull(optarg, NULL, 10);
            break;
        default:
            exit(2);
        }
    }
    make_answer(name, body, size);
    return port;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    int listener = listen_on(read_options(argc, argv)), count, i;

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        count = epoll_wait(epoll_fd, events, EVENTS, run_delayed());
        for (i = 0; i < count; i++) {
            struct conn *c = events[i].data.ptr;

            if (!c)
                on_accept(listener);
            else if (events[i].events & EPOLLOUT)
                go_on(c);
            else
                on_readable(c);
        }
    }
}
