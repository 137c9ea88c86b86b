/* tls_client.c - a TLS handshake for each request, full or resumed.
 *
 * Each of N slots connects, shakes hands (TLS 1.3, TLS_AES_128_GCM_SHA256, X25519), asks once,
 * reads the answer and the end of the connection, and begins again. With --resume it comes back
 * with the ticket of its last connection, and one that the server did not take counts as failed; so
 * does a resumed one without. Prints "started" after the first answer of each slot, when counting
 * and the seconds begin, and at the end one line of JSON.
 *
 * usage: bench-tls-client --port N [--connections N] [--seconds S] [--resume] */
#include "spec/support/load_response.h"
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, SLOTS_MAX = 256, TIMES_MAX = 1000000 };

static const char request[] = "GET / HTTP/1.1\r\nHost: bench.example\r\nConnection: close\r\n\r\n";

struct slot {
    int fd;
    SSL *ssl;
    SSL_SESSION *ticket; /* for the next connection, NULL: none yet */
    bool asked, answered, warm;
    uint64_t start_us;
    struct response response;
};

static struct {
    struct sockaddr_in address;
    unsigned connections;
    double seconds;
    bool resume;
} set = {.connections = 16, .seconds = 1};

static struct {
    uint64_t requests, resumed, failed;
    unsigned warm; /* slots that have had their first answer */
} seen;

static uint32_t times_us[TIMES_MAX];
static struct slot slots[SLOTS_MAX];
static SSL_CTX *context;
static int epoll_fd, slot_index;

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct slot *s = SSL_get_ex_data(ssl, slot_index);

    SSL_SESSION_free(s->ticket);
    s->ticket = session;
    return 1; /* it is ours now */
}

static void begin(struct slot *s)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = s};
    int on = 1;

    s->asked = s->answered = false;
    s->start_us = now_us();
    s->response.fill = 0;
    response_next(&s->response);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    s->ssl = SSL_new(context);
    if (s->fd < 0 || !s->ssl)
        abort();
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    SSL_set_fd(s->ssl, s->fd);
    SSL_set_ex_data(s->ssl, slot_index, s);
    SSL_set_tlsext_host_name(s->ssl, "bench.example");
    SSL_set_connect_state(s->ssl);
    if (set.resume && s->ticket)
        SSL_set_session(s->ssl, s->ticket);
    (void)!connect(s->fd, (struct sockaddr *)&set.address,
                   sizeof(set.address)); /* how it went is seen in the handshake */
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &event);
}

static bool counting(void)
{
    return seen.warm == set.connections;
}

/* Did this one go as it should? The first of a slot has no ticket yet. */
static bool is_good(const struct slot *s)
{
    return s->answered && s->response.status == 200 &&
           (SSL_session_reused(s->ssl) == 1) == (set.resume && s->warm);
}

static void end(struct slot *s)
{
    bool good = is_good(s);

    if (counting() && good) {
        if (seen.requests < TIMES_MAX)
            times_us[seen.requests] = (uint32_t)(now_us() - s->start_us);
        seen.requests++;
        seen.resumed += (uint64_t)SSL_session_reused(s->ssl);
    }
    seen.failed += !good;
    SSL_set_shutdown(s->ssl,
                     SSL_SENT_SHUTDOWN |
                         SSL_RECEIVED_SHUTDOWN); /* or the ticket would be taken for spoiled */
    SSL_free(s->ssl);
    close(s->fd);
    if (good && !s->warm) {
        s->warm = true;
        seen.warm++;
    }
    begin(s);
}

/* Reads on; true: the connection has ended. */
static bool receive(struct slot *s)
{
    struct response *r = &s->response;
    int got;

    for (;;) {
        got = SSL_read(s->ssl, r->in + r->fill, (int)(sizeof(r->in) - r->fill));
        if (got <= 0)
            return SSL_get_error(s->ssl, got) != SSL_ERROR_WANT_READ;
        r->fill += (size_t)got;
        if (!s->answered && response_read(r, NULL) == RESPONSE_DONE)
            s->answered = true;
    }
}

static void go_on(struct slot *s)
{
    int result, error;

    ERR_clear_error();
    if (!s->asked) {
        result = SSL_do_handshake(s->ssl);
        error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(s->ssl, result);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
            return;
        if (result != 1 || SSL_write(s->ssl, request, sizeof(request) - 1) <= 0) {
            end(s);
            return;
        }
        s->asked = true;
    }
    if (receive(s))
        end(s);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void print_result(double seconds)
{
    size_t count = seen.requests < TIMES_MAX ? seen.requests : TIMES_MAX;

    qsort(times_us, count, sizeof(*times_us), by_size);
    printf("{\"requests\":%llu,\"resumed\":%llu,\"failed\":%llu,\"seconds\":%.3f,\"p50_us\":%u,"
           "\"p99_us\":%u}\n",
           (unsigned long long)seen.requests, (unsigned long long)seen.resumed,
           (unsigned long long)seen.failed, seconds, count ? times_us[count / 2] : 0,
           count ? times_us[count * 99 / 100] : 0);
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {{"port", 1, NULL, 'p'},
                                            {"connections", 1, NULL, 'n'},
                                            {"seconds", 1, NULL, 's'},
                                            {"resume", 0, NULL, 'r'},
                                            {0}};
    int option;

    set.address.sin_family = AF_INET;
    set.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p')
            set.address.sin_port = htons((uint16_t)atoi(optarg));
        else if (option == 'n')
            set.connections = (unsigned)atoi(optarg);
        else if (option == 's')
            set.seconds = atof(optarg);
        else if (option == 'r')
            set.resume = true;
        else
            exit(2);
    }
    if (!set.address.sin_port || !set.connections || set.connections > SLOTS_MAX)
        exit(2);
}

static void make_context(void)
{
    context = SSL_CTX_new(TLS_client_method());
    slot_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") ||
        !SSL_CTX_set1_groups_list(context, "X25519"))
        abort();
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_ticket);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    uint64_t began = 0, now = 0;

    read_options(argc, argv);
    make_context();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < set.connections; i++)
        begin(&slots[i]);
    while (!began || now < began + (uint64_t)(set.seconds * 1e6)) {
        int count = epoll_wait(epoll_fd, events, EVENTS, 100);

        for (int i = 0; i < count; i++)
            go_on(events[i].data.ptr);
        now = now_us();
        if (!began && counting()) {
            began = now;
            puts("started");
            fflush(stdout);
        }
    }
    print_result((double)(now - began) / 1e6);
    return 0;
}
