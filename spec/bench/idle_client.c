/* idle_client.c - clients that have asked once and keep their connection.
 *
 * Opens N connections, a few at a time, from 127.0.0.2 and up, a thousand from each address; each
 * asks once and reads the answer. Prints "open N" once all have theirs, holds them until SIGTERM,
 * and prints then how many are still open.
 *
 * usage: bench-idle-client --port N --connections N */
#include "spec/support/load_response.h"
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PER_SOURCE = 1000 };

static const char request[] = "GET / HTTP/1.1\r\nHost: bench.example\r\n\r\n";
static struct sockaddr_in address = {.sin_family = AF_INET};
static unsigned total;
static int *fds;
static struct response response;

static void on_term(int signal)
{
    (void)signal;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* One client, from its connection to the end of its answer. */
static int ask(unsigned index)
{
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(0x7f000002 + index / PER_SOURCE)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t got;

    if (fd < 0 || bind(fd, (struct sockaddr *)&source, sizeof(source)) < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != sizeof(request) - 1)
        fail("connect");
    response.fill = 0;
    response_next(&response);
    do {
        got = recv(fd, response.in + response.fill, sizeof(response.in) - response.fill, 0);
        if (got <= 0)
            fail("recv");
        response.fill += (size_t)got;
    } while (response_read(&response, NULL) == RESPONSE_MORE);
    if (response.status != 200 || response.last) {
        fprintf(stderr, "status %d%s\n", response.status, response.last ? ", and the end" : "");
        exit(1);
    }
    return fd;
}

static unsigned count_open(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < total; i++) {
        struct pollfd p = {.fd = fds[i], .events = POLLIN};

        count += poll(&p, 1, 0) == 0;
    }
    return count;
}

static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, NULL, 'p'}, {"connections", 1, NULL, 'n'}, {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p')
            address.sin_port = htons((uint16_t)atoi(optarg));
        else if (option == 'n')
            total = (unsigned)atoi(optarg);
        else
            exit(2);
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

int main(int argc, char **argv)
{
    sigset_t none, term;

    read_options(argc, argv);
    raise_limit();
    sigemptyset(&none);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    signal(SIGTERM, on_term);
    fds = calloc(total, sizeof(*fds));
    for (unsigned i = 0; i < total; i++)
        fds[i] = ask(i);
    printf("open %u\n", count_open());
    fflush(stdout);
    sigsuspend(&none);
    printf("still %u\n", count_open());
    return 0;
}
