/* load_client.c - load that says exactly what came back, and ends when it is told to.
 *
 * Keeps N connections busy with one request each at a time, until SIGTERM or the seconds are over;
 * requests under way are still answered then. Prints "started" after the first answer and at the
 * end one line of JSON.
 *
 * usage: load-client --address IPV4:PORT [--path P] [--host H] [--connections N] [--seconds S]
 *                    [--rate R] [--body-size BYTES] [--expect TEXT] [--close]
 *
 * failed = connect_errors (refused or broken before it stood) + closed (ended before the first byte
 * of an answer) + cut_short (within an answer) + bad_bodies (a 200 whose body is not TEXT) +
 * malformed + timeouts (30 s). */
#include "load_response.h"
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, ORIGINS = 64, BUCKETS = 64 * 16, STATUSES = 600 };
enum { TIMEOUT_US = 30000000, RECONNECT_US = 1000, TURN_MS = 2 };

struct conn {
    int fd;            /* -1: to be opened */
    size_t sent;       /* bytes of the request */
    bool busy;         /* a request is under way */
    uint64_t start_us; /* of the request, or when to connect again */
    struct response response;
};

static struct {
    struct sockaddr_in address;
    const char *path, *host, *expect;
    unsigned connections;
    double seconds, rate;
    size_t body_size;
    bool close;
} set = {.path = "/", .connections = 8};

static struct {
    uint64_t requests, connects, connect_errors, closed, cut_short, bad_bodies, malformed, timeouts;
    uint64_t statuses[STATUSES], latency[BUCKETS], max_us;
    struct {
        char name[ORIGIN_MAX];
        uint64_t count;
    } origins[ORIGINS];
} seen;

static char *request;
static size_t request_size;
static int epoll_fd;
static uint64_t next_slot_us; /* with a rate: when the next request may start */
static volatile sig_atomic_t ending;

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Sixteen buckets for each power of two. */
static unsigned bucket_of(uint64_t us)
{
    unsigned power;

    if (us < 16)
        return (unsigned)us;
    power = 63 - (unsigned)__builtin_clzll(us);
    return (power - 3) * 16 + (unsigned)((us >> (power - 4)) & 15);
}

static uint64_t bucket_value(unsigned bucket)
{
    return bucket < 16 ? bucket : (uint64_t)(16 + bucket % 16) << (bucket / 16 - 1);
}

static uint64_t percentile(double share)
{
    uint64_t want = (uint64_t)((double)seen.requests * share), sum = 0;
    unsigned i;

    for (i = 0; i < BUCKETS; i++) {
        sum += seen.latency[i];
        if (sum > want)
            return bucket_value(i);
    }
    return seen.max_us;
}

static void announce(void)
{
    static bool done;

    if (!done)
        puts("started");
    done = true;
    fflush(stdout);
}

static void count_origin(const char *name)
{
    unsigned i;

    for (i = 0; i < ORIGINS; i++) {
        if (!seen.origins[i].count)
            snprintf(seen.origins[i].name, ORIGIN_MAX, "%s", name);
        if (strcmp(seen.origins[i].name, name) == 0) {
            seen.origins[i].count++;
            return;
        }
    }
}

static void disconnect(struct conn *c, uint64_t wait_us)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->busy = false;
    c->response.fill = 0;
    c->start_us = now_us() + wait_us;
}

static void failed(struct conn *c, uint64_t *counter)
{
    ++*counter;
    announce();
    disconnect(c, RECONNECT_US);
}

static void succeeded(struct conn *c)
{
    uint64_t us = now_us() - c->start_us;
    struct response *r = &c->response;

    seen.requests++;
    seen.statuses[r->status < STATUSES ? r->status : 0]++;
    seen.latency[bucket_of(us)]++;
    seen.max_us = us > seen.max_us ? us : seen.max_us;
    if (r->origin[0])
        count_origin(r->origin);
    if (r->body_differs)
        seen.bad_bodies++;
    announce();
    c->busy = false;
    if (r->last || set.close)
        disconnect(c, 0);
}

static void watch(struct conn *c, int operation, bool write)
{
    struct epoll_event event = {.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};

    epoll_ctl(epoll_fd, operation, c->fd, &event);
}

static void send_request(struct conn *c)
{
    ssize_t put = send(c->fd, request + c->sent, request_size - c->sent, MSG_NOSIGNAL);

    if (put >= 0)
        c->sent += (size_t)put;
    else if (errno != EAGAIN && errno != EPIPE && errno != ECONNRESET)
        failed(c, &seen.connect_errors);
    /* a broken pipe: there may be an answer to read that says why */
}

static void connect_to(struct conn *c)
{
    int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    seen.connects++;
    if (connect(c->fd, (struct sockaddr *)&set.address, sizeof(set.address)) &&
        errno != EINPROGRESS)
        failed(c, &seen.connect_errors);
    else
        watch(c, EPOLL_CTL_ADD, true);
}

/* Starts the next request of an idle connection, if it may start now. */
static void start(struct conn *c, uint64_t now)
{
    if (c->busy || ending || (c->fd < 0 && c->start_us > now))
        return;
    if (set.rate > 0) {
        if (next_slot_us > now)
            return;
        next_slot_us += (uint64_t)(1e6 / set.rate);
    }
    c->busy = true;
    c->sent = 0;
    c->start_us = now;
    response_next(&c->response);
    if (c->fd < 0) {
        connect_to(c);
        return;
    }
    send_request(c);
    if (c->fd >= 0 && c->sent < request_size)
        watch(c, EPOLL_CTL_MOD, true);
}

static void on_writable(struct conn *c)
{
    int error = 0;
    socklen_t size = sizeof(error);

    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error && c->sent == 0) {
        failed(c, &seen.connect_errors);
        return;
    }
    send_request(c);
    if (c->fd >= 0 && c->sent == request_size)
        watch(c, EPOLL_CTL_MOD, false);
}

static void on_end(struct conn *c)
{
    struct response *r = &c->response;

    if (!c->busy)
        disconnect(c, 0);
    else if (response_ends_well(r, set.expect))
        succeeded(c);
    else
        failed(c, r->fill || r->status ? &seen.cut_short : &seen.closed);
}

static void on_readable(struct conn *c)
{
    struct response *r = &c->response;
    ssize_t got = recv(c->fd, r->in + r->fill, sizeof(r->in) - r->fill, 0);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        on_end(c);
        return;
    }
    r->fill += (size_t)got;
    if (!c->busy) {
        failed(c, &seen.malformed); /* nobody asked */
        return;
    }
    switch (response_read(r, set.expect)) {
    case RESPONSE_MORE:
        break;
    case RESPONSE_BAD:
        failed(c, &seen.malformed);
        break;
    case RESPONSE_DONE:
        succeeded(c);
        start(c, now_us());
        break;
    }
}

/* Starts what may start, gives up what is late; returns whether anything is still under way. */
static bool tend(struct conn *conns, uint64_t end_us)
{
    uint64_t now = now_us();
    bool busy = false;
    unsigned i;

    if (end_us && now >= end_us)
        ending = 1;
    for (i = 0; i < set.connections; i++) {
        struct conn *c = &conns[i];

        if (c->busy && now - c->start_us > TIMEOUT_US)
            failed(c, &seen.timeouts);
        start(c, now);
        busy = busy || c->busy;
    }
    return busy;
}

static void make_request(void)
{
    char head[2048];
    int len = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: %s\r\n%s",
                       set.body_size ? "POST" : "GET", set.path, set.host,
                       set.close ? "Connection: close\r\n" : "");

    if (set.body_size)
        len += snprintf(head + len, sizeof(head) - (size_t)len, "Content-Length: %zu\r\n",
                        set.body_size);
    len += snprintf(head + len, sizeof(head) - (size_t)len, "\r\n");
    request_size = (size_t)len + set.body_size;
    request = malloc(request_size);
    memset(request, 'b', request_size);
    memcpy(request, head, (size_t)len);
}

static void print_result(double seconds)
{
    uint64_t failures = seen.connect_errors + seen.closed + seen.cut_short + seen.bad_bodies +
                        seen.malformed + seen.timeouts;
    const char *comma = "";
    unsigned i;

    printf(
        "{\"requests\":%lu,\"failed\":%lu,\"connects\":%lu,\"connect_errors\":%lu,\"closed\":%lu,"
        "\"cut_short\":%lu,\"bad_bodies\":%lu,\"malformed\":%lu,\"timeouts\":%lu,\"seconds\":%.3f,"
        "\"p50_us\":%lu,\"p99_us\":%lu,\"max_us\":%lu,\"statuses\":{",
        seen.requests, failures, seen.connects, seen.connect_errors, seen.closed, seen.cut_short,
        seen.bad_bodies, seen.malformed, seen.timeouts, seconds, percentile(0.5), percentile(0.99),
        seen.max_us);
    for (i = 0; i < STATUSES; i++) {
        if (seen.statuses[i])
            printf("%s\"%u\":%lu", comma, i, seen.statuses[i]), comma = ",";
    }
    printf("},\"origins\":{");
    for (i = 0, comma = ""; i < ORIGINS && seen.origins[i].count; i++, comma = ",")
        printf("%s\"%s\":%lu", comma, seen.origins[i].name, seen.origins[i].count);
    printf("}}\n");
}

static void set_address(char *text)
{
    char *colon = strrchr(text, ':');

    set.host = strdup(text);
    if (!colon)
        exit(2);
    *colon = '\0';
    set.address.sin_family = AF_INET;
    set.address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, text, &set.address.sin_addr) != 1)
        exit(2);
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"address", required_argument, NULL, 'a'},   {"path", required_argument, NULL, 'p'},
        {"host", required_argument, NULL, 'h'},      {"connections", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 's'},   {"rate", required_argument, NULL, 'r'},
        {"body-size", required_argument, NULL, 'b'}, {"expect", required_argument, NULL, 'e'},
        {"close", no_argument, NULL, 'c'},           {NULL, 0, NULL, 0},
    };
    const char *host = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'a':
            set_address(optarg);
            break;
        case 'p':
            set.path = optarg;
            break;
        case 'h':
            host = optarg;
            break;
        case 'n':
            set.connections = (unsigned)atoi(optarg);
            break;
        case 's':
            set.seconds = atof(optarg);
            break;
        case 'r':
            set.rate = atof(optarg);
            break;
        case 'b':
            set.body_size = strtoull(optarg, NULL, 10);
            break;
        case 'e':
            set.expect = optarg;
            break;
        case 'c':
            set.close = true;
            break;
        default:
            exit(2);
        }
    }
    set.host = host ? host : set.host;
    if (!set.host)
        exit(2);
}

static void on_signal(int number)
{
    (void)number;
    ending = 1;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    struct conn *conns;
    uint64_t begin = now_us(), end;
    int count, i;

    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    read_options(argc, argv);
    make_request();
    end = set.seconds > 0 ? begin + (uint64_t)(set.seconds * 1e6) : 0;
    next_slot_us = begin;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    conns = calloc(set.connections, sizeof(*conns));
    for (i = 0; i < (int)set.connections; i++)
        conns[i].fd = -1;
    while (tend(conns, end) || !ending) {
        count = epoll_wait(epoll_fd, events, EVENTS, set.rate > 0 ? 1 : TURN_MS);
        for (i = 0; i < count; i++) {
            struct conn *c = events[i].data.ptr;

            if (c->fd >= 0 && (events[i].events & EPOLLOUT))
                on_writable(c);
            if (c->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                on_readable(c);
        }
    }
    print_result((double)(now_us() - begin) / 1e6);
    return 0;
}
