/* close_reason.h - why a connection ended: one row makes the enum, the counter and the log text.
 *
 * Thread: any; constant data. */
#pragma once

/* X(ID, text) */
#define CLOSE_REASONS(X) \
    X(NONE, "open") \
    X(CLIENT_DONE, "the client closed between requests") \
    X(CLIENT_GONE, "the client closed during a request") \
    X(CLIENT_ERROR, "the client's connection broke") \
    X(CLIENT_IDLE, "the client was idle for too long") \
    X(CLIENT_SLOW, "the client was too slow") \
    X(CLIENT_READS_SLOWLY, "the client took its responses slower than limits.send_rate") \
    X(HANDSHAKE_FAILED, "the TLS handshake failed") \
    X(HANDSHAKE_SLOW, "the TLS handshake took too long") \
    X(CLIENT_LAST, "the last response was sent") \
    X(CLIENT_SERVED, "the client had as many requests as a connection may have") \
    X(CLIENT_AGED, "the client's connection was as old as one may be") \
    X(CLIENT_FLOODS, "the client sent too many frames that carry nothing, resets or header bytes") \
    X(CLIENT_PROTOCOL, "the client broke the rules of HTTP/2") \
    X(STREAM_DONE, "the stream's exchange is over") \
    X(MADE_ROOM, "it was idle, or slow with a head, and others needed the room") \
    X(ADDRESS_FULL, "its address had as many connections as one may have") \
    X(CLIENT_REFUSED, "no route, configured to close") \
    X(RESPONSE_CUT, "the backend's response ended early") \
    X(TUNNEL_CUT, "a tunnel ended within a message") \
    X(ORIGIN_DONE, "the backend ends connections after a response") \
    X(ORIGIN_CLOSED, "the backend closed an idle connection") \
    X(ORIGIN_FAILED, "the backend failed") \
    X(ORIGIN_IDLE, "the pooled connection was idle for too long") \
    X(ORIGIN_SURPLUS, "the pool was full") \
    X(ORIGIN_ABANDONED, "the request ended before its response") \
    X(SHUTDOWN, "the proxy stops") \
    X(NO_MEMORY, "out of memory")

enum close_reason {
#define CLOSE_REASON_ID(id, text) CLOSE_##id,
    CLOSE_REASONS(CLOSE_REASON_ID)
#undef CLOSE_REASON_ID
    CLOSE_REASON_COUNT
};

/* "the client closed between requests", ... */
const char *close_reason_text(enum close_reason reason);

/* "CLIENT_DONE", ...: how counters are named; in small letters where operators see them. */
const char *close_reason_name(enum close_reason reason);
