#include "base/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

/* Addresses */

static bool parse_port(struct slice text, uint16_t *port)
{
    unsigned n = 0;

    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        n = n * 10 + (unsigned)(text.data[i] - '0');
    }
    *port = (uint16_t)n;
    return n <= UINT16_MAX;
}

int address_parse_ip(struct slice text, uint16_t port, struct address *out)
{
    char copy[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, '\0', text.len))
        return -EINVAL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, copy, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        return 0;
    }
    if (inet_pton(AF_INET6, copy, &out->v6.sin6_addr) == 1) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(port);
        return 0;
    }
    return -EINVAL;
}

int address_parse(struct slice text, struct address *out)
{
    const char *colon = text.len ? memrchr(text.data, ':', text.len) : NULL;
    struct slice host, port_text;
    uint16_t port;
    bool bracketed;

    if (!colon)
        return -EINVAL;
    host = slice_of(text.data, (size_t)(colon - text.data));
    port_text = slice_of(colon + 1, text.len - host.len - 1);
    if (!parse_port(port_text, &port))
        return -EINVAL;
    if (host.len == 0)
        return address_parse_ip(SLICE("::"), port, out);
    bracketed = host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (bracketed)
        host = slice_of(host.data + 1, host.len - 2);
    if (address_parse_ip(host, port, out) < 0)
        return -EINVAL;
    return bracketed == (out->any.sa_family == AF_INET6) ? 0 : -EINVAL;
}

size_t address_ip_bytes(const struct address *a, uint8_t out[16])
{
    const uint8_t *v6 = a->v6.sin6_addr.s6_addr;

    if (a->any.sa_family == AF_INET) {
        memcpy(out, &a->v4.sin_addr, 4);
        return 4;
    }
    CHECK(a->any.sa_family == AF_INET6);
    if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
        memcpy(out, v6 + 12, 4);
        return 4;
    }
    memcpy(out, v6, 16);
    return 16;
}

/* Every request says its client's address, and inet_ntop goes through printf. */
static size_t format_v4(const uint8_t ip[4], char *out)
{
    char *p = out;

    for (int i = 0; i < 4; i++) {
        if (ip[i] >= 100)
            *p++ = (char)('0' + ip[i] / 100);
        if (ip[i] >= 10)
            *p++ = (char)('0' + ip[i] / 10 % 10);
        *p++ = (char)('0' + ip[i] % 10);
        *p++ = i < 3 ? '.' : '\0';
    }
    return (size_t)(p - out) - 1;
}

size_t address_format_ip(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
    uint8_t ip[16];

    if (address_ip_bytes(a, ip) == 4)
        return format_v4(ip, out);
    CHECK(inet_ntop(AF_INET6, ip, out, ADDRESS_TEXT_SIZE));
    return strlen(out);
}

size_t address_format(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
    char ip[ADDRESS_TEXT_SIZE];
    const char *format;

    address_format_ip(a, ip);
    format = strchr(ip, ':') ? "[%.45s]:%u" : "%.45s:%u";
    return (size_t)snprintf(out, ADDRESS_TEXT_SIZE, format, ip, address_port(a));
}

uint16_t address_port(const struct address *a)
{
    return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

socklen_t address_size(const struct address *a)
{
    return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

bool address_same_host(const struct address *a, const struct address *b)
{
    uint8_t ip_a[16], ip_b[16];
    size_t size = address_ip_bytes(a, ip_a);

    return size == address_ip_bytes(b, ip_b) && memcmp(ip_a, ip_b, size) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return address_same_host(a, b) && address_port(a) == address_port(b);
}

/* Ranges */

int cidr_parse(struct slice text, struct cidr *out)
{
    const char *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    struct slice ip = slash ? slice_of(text.data, (size_t)(slash - text.data)) : text;
    struct address a;
    uint16_t bits, width;

    if (address_parse_ip(ip, 0, &a) < 0)
        return -EINVAL;
    width = a.any.sa_family == AF_INET ? 32 : 128;
    bits = width;
    if (slash && !parse_port(slice_of(slash + 1, text.len - ip.len - 1), &bits))
        return -EINVAL;
    if (bits > width)
        return -EINVAL;
    if (width == 128 && IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr)) {
        if (bits < 96)
            return -EINVAL;
        bits -= 96;
    }
    memset(out, 0, sizeof(*out));
    out->size = (uint8_t)address_ip_bytes(&a, out->ip);
    out->bits = (uint8_t)bits;
    return 0;
}

bool cidr_contains(const struct cidr *range, const struct address *a)
{
    uint8_t ip[16];
    size_t whole = range->bits / 8;
    uint8_t mask = (uint8_t)(0xff00 >> (range->bits % 8));

    if (address_ip_bytes(a, ip) != range->size || memcmp(ip, range->ip, whole) != 0)
        return false;
    return range->bits % 8 == 0 || ((ip[whole] ^ range->ip[whole]) & mask) == 0;
}

/* Sockets */

static void set_option(int fd, int level, int option, int value)
{
    /* Tuning only: a socket on which it fails still works. */
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

static int listen_on(const struct address *a, bool reuse_port)
{
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1, err;

    if (fd < 0)
        return -errno;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* accepted sockets inherit it: no call for each */
    if (a->any.sa_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr));
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0)
        goto fail;
    if (bind(fd, &a->any, address_size(a)) < 0 || listen(fd, BACKLOG) < 0)
        goto fail;
    return fd;
fail:
    err = errno;
    close(fd);
    return -err;
}

void sock_defer_accept(int listener, int seconds)
{
    set_option(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, seconds);
}

int sock_listen(const struct address *a, bool reuse_port)
{
    int fd = listen_on(a, reuse_port);

    if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) && a->any.sa_family == AF_INET6 &&
        IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr)) {
        struct address v4 = {.v4 = {.sin_family = AF_INET, .sin_port = a->v6.sin6_port}};

        return listen_on(&v4, reuse_port);
    }
    return fd;
}

int sock_local_address(int fd, struct address *out)
{
    socklen_t size = sizeof(*out);

    memset(out, 0, sizeof(*out));
    if (getsockname(fd, &out->any, &size) < 0)
        return -errno;
    return out->any.sa_family == AF_INET || out->any.sa_family == AF_INET6 ? 0 : -EAFNOSUPPORT;
}

int sock_connect(const struct address *to, bool *pending)
{
    int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err;

    *pending = false;
    if (fd < 0)
        return -errno;
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (connect(fd, &to->any, address_size(to)) == 0)
        return fd;
    if (errno == EINPROGRESS) {
        *pending = true;
        return fd;
    }
    err = errno;
    close(fd);
    return -err;
}

int sock_accept(int listener, struct address *peer)
{
    socklen_t size;
    int fd;

    do {
        size = sizeof(*peer);
        fd = accept4(listener, &peer->any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd < 0 ? -errno : fd;
}

int sock_accept_queue(int listener)
{
    struct tcp_info info = {0};
    socklen_t size = offsetof(struct tcp_info, tcpi_sacked); /* tcp(7); the length of a listener's queue is in tcpi_unacked */

    if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return -errno;
    return (int)info.tcpi_unacked;
}

int sock_error(int fd)
{
    int err = 0;
    socklen_t size = sizeof(err);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) < 0)
        return -errno;
    return -err;
}

static uint64_t queued(int fd, unsigned long which)
{
    int bytes = 0;

    return ioctl(fd, which, &bytes) == 0 && bytes > 0 ? (uint64_t)bytes : 0;
}

uint64_t sock_unread(int fd)
{
    return queued(fd, FIONREAD);
}

uint64_t sock_unacknowledged(int fd)
{
    return queued(fd, SIOCOUTQ);
}

void sock_keepalive(int fd, int idle_s, int interval_s)
{
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
}

void sock_close_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(fd);
}
