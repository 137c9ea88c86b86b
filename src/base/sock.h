/* sock.h - socket addresses as text, and non-blocking sockets.
 *
 * Thread: any. Functions return 0 (or a descriptor) or -errno. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#endif

/* An IPv4 or IPv6 address with a port. */
#ifdef FFI_CDEF
#define socklen_t uint32_t
struct address {
    uint32_t opaque[7];
};
#else
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};
_Static_assert(sizeof(struct address) == 28, "spec/unit declares struct address with this size");
#endif

enum { ADDRESS_TEXT_SIZE = 64 };

/* "127.0.0.1:8080", ":8080" (every address, IPv6 and IPv4 alike) or "[::1]:8080"; port 0 to 65535,
 * no names. -EINVAL when text is none of them. */
MUST_USE int address_parse(struct slice text, struct address *out);

/* A bare IPv4 or IPv6 address (no port, no brackets), with the given port. -EINVAL when it is none.
 */
MUST_USE int address_parse_ip(struct slice text, uint16_t port, struct address *out);

/* "127.0.0.1:8080" or "[::1]:8080", NUL-terminated; IPv4 in IPv6 is shown as IPv4. Returns its
 * length. */
size_t address_format(const struct address *a, char out[ADDRESS_TEXT_SIZE]);

/* The same without port and brackets. */
size_t address_format_ip(const struct address *a, char out[ADDRESS_TEXT_SIZE]);

uint16_t address_port(const struct address *a);
socklen_t address_size(const struct address *a);
bool address_equal(const struct address *a, const struct address *b);
bool address_same_host(const struct address *a, const struct address *b); /* whatever the ports */

/* The address bytes that identify a host, without port; IPv4 in IPv6 becomes IPv4. Returns 4 or 16.
 */
size_t address_ip_bytes(const struct address *a, uint8_t out[16]);

/* An address range: 10.0.0.0/8, ::1/128, or a bare address. */
struct cidr {
    uint8_t ip[16]; /* network order; 4 bytes used for IPv4 */
    uint8_t size;   /* 4 or 16 */
    uint8_t bits;   /* prefix length */
};

MUST_USE int cidr_parse(struct slice text, struct cidr *out);
bool cidr_contains(const struct cidr *range, const struct address *a);

/* A listening socket: non-blocking, close-on-exec, SO_REUSEADDR, and SO_REUSEPORT when reuse_port.
 * For
 * ":port" one socket serves IPv6 and IPv4; on a machine without IPv6 it serves IPv4. Descriptor or
 * -errno. */
MUST_USE int sock_listen(const struct address *a, bool reuse_port);

/* The kernel hands a connection out once the client has sent something, or after seconds (it rounds up to 1, 3, 7, 15 ...): it
 * answers the handshake, but drops its bare last ACK, and asks for that again with another SYN-ACK when the time is up
 * (TCP_DEFER_ACCEPT, tcp(7)). Where it cannot be had, and with SYN cookies, connections come as they stand. Until then there is
 * only a request in the SYN queue (its length is the backlog): it dies with the listener, or when tcp_synack_retries went
 * unanswered, and the client gets RST if it speaks then. The first measure of the round trip includes the client's silence:
 * what is lost is sent again late, and bbr paces the first large answer as if it were far away (60 KB took 36 ms on loopback
 * after 1.2 s of silence). */
void sock_defer_accept(int listener, int seconds);

/* The address a socket is bound to. */
MUST_USE int sock_local_address(int fd, struct address *out);

/* Starts a connection: non-blocking, close-on-exec, TCP_NODELAY. A descriptor; *pending says
 * whether the connection still has to be waited for (writable, then sock_error). -errno when it
 * failed at once. */
MUST_USE int sock_connect(const struct address *to, bool *pending);

/* Takes one connection: non-blocking, close-on-exec, TCP_NODELAY. Descriptor or -errno (-EAGAIN:
 * none). */
MUST_USE int sock_accept(int listener, struct address *peer);

/* How many connections wait to be taken, or -errno. A tenth of what it costs to ask sock_accept in vain: for that the kernel makes
 * a whole socket before it looks. */
MUST_USE int sock_accept_queue(int listener);

/* The pending error of a socket (SO_ERROR): 0 or -errno. */
int sock_error(int fd);

/* Bytes that have come and were not received yet: closing then sends a RST, and throws away what is still to be sent. */
uint64_t sock_unread(int fd);

/* Bytes that were sent and not acknowledged yet; 0 when that cannot be told. */
uint64_t sock_unacknowledged(int fd);

/* Keep-alive probes after idle_s seconds, then every interval_s seconds. */
void sock_keepalive(int fd, int idle_s, int interval_s);

/* close() with RST instead of FIN: the peer must not take what it got as complete. */
void sock_close_reset(int fd);
