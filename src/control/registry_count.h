/* registry_count.h - what the registry counts for its operators (PROXY_STATUS): why its connections end, what its
 * limits refused, and what passed.
 *
 * A limit is one row: its name, the setting that moves it and what is told to who meets it. So each refusal names
 * both, is counted, and is seen beside its limit.
 *
 * Thread: control. Ownership: struct control has the counts; they only grow. */
#pragma once
#include "base/check.h"
#include "base/error.h"
#include <stdint.h>

struct control;

/* X(ID, name for operators, text for the log) */
#define CONNECTION_ENDS(X) \
    X(DONE, "done", "done") \
    X(CLOSED, "closed", "closed, without waiting any longer for the client's end") \
    X(RESET, "reset", "connection reset") \
    X(SEND_FAILED, "send_failed", "send failed") \
    X(OUTPUT, "output_limit", "output limit") \
    X(MEMORY, "no_memory", "out of memory") \
    X(SURPLUS, "too_many_connections", "too many connections") \
    X(MADE_ROOM, "made_room", "too many connections, and this one said nothing") \
    X(UNAUTHORIZED, "unauthorized", "no AUTH in time, or too many lines without") \
    X(IDLE, "idle", "idle for too long") \
    X(HANDSHAKE_FAILED, "handshake_failed", "TLS handshake failed") \
    X(HANDSHAKE_SLOW, "handshake_slow", "TLS handshake too slow") \
    X(TAKEN_OVER, "taken_over", "taken over") \
    X(SUPERSEDED, "superseded", "session superseded") \
    X(SHUTDOWN, "shutdown", "registry closed")

enum connection_end {
#define CONNECTION_END_ID(id, name, text) CONNECTION_END_##id,
    CONNECTION_ENDS(CONNECTION_END_ID)
#undef CONNECTION_END_ID
    CONNECTION_END_COUNT
};

/* X(ID, field of struct settings, path of the setting, what is told). A limit is named by its path's last part. */
#define REGISTRY_LIMITS(X) \
    X(CONNECTIONS, registry_connections, "limits.registry_connections", "too many connections") \
    X(ADDRESS, registry_per_address, "limits.registry_per_address", "too many connections from this address") \
    X(SESSIONS, sessions, "limits.sessions", "too many sessions") \
    X(METADATA, metadata_size, "limits.metadata_size", "metadata is too long") \
    X(ROUTES, routes_per_session, "limits.routes_per_session", "too many routes") \
    X(DOMAINS, domains_per_route, "limits.domains_per_route", "too many domains") \
    X(HEADERS, headers_per_target, "limits.headers_per_target", "too many headers") \
    X(STAGED, staged_bytes, "limits.staged_bytes", "too much is staged") \
    X(TAKEOVERS, session_takeovers, "limits.session_takeovers", "too many takeovers of this session") \
    X(OPERATIONS, session_operations, "limits.session_operations", "too many operations are under way") \
    X(WAITING, registry_waiting, "limits.registry_waiting", "too many commands are under way") \
    X(AUTH_LINES, registry_auth_lines, "limits.registry_auth_lines", "too many lines without AUTH") \
    X(LINES, registry_lines, "limits.registry_lines", "too many lines a second") /* these wait */ \
    X(OUTPUT, registry_output, "limits.registry_output", "too much output waits for the client")

enum registry_limit {
#define REGISTRY_LIMIT_ID(id, field, path, text) REGISTRY_LIMIT_##id,
    REGISTRY_LIMITS(REGISTRY_LIMIT_ID)
#undef REGISTRY_LIMIT_ID
    REGISTRY_LIMIT_COUNT
};

struct registry_counts {
    uint64_t accepted;          /* connections, refused ones too */
    uint64_t lines;             /* given to scripts */
    uint64_t bad_lines;         /* too long, control bytes, no UTF-8 */
    uint64_t sessions_dropped;  /* idle ones that made room for others */
    uint64_t events;            /* queued for connections that subscribed */
    uint64_t auth_failures;     /* wrong tokens */
    uint64_t auth_delayed;      /* lines without AUTH that waited, as a token from there was wrong */
    uint64_t handshakes, handshakes_failed; /* of TLS */
    uint64_t ended[CONNECTION_END_COUNT];
    uint64_t refused[REGISTRY_LIMIT_COUNT]; /* by the limit that was met */
};

/* "done", ... */
const char *connection_end_name(enum connection_end end);

/* For the log. */
const char *connection_end_text(enum connection_end end);

/* "registry_connections", ... */
const char *registry_limit_name(enum registry_limit limit);

/* What the settings in force say; connections are never more than there are descriptors for. */
uint64_t registry_limit_value(const struct control *c, enum registry_limit limit);

/* What is used of it now; of a limit on each connection, session or address: what the one that uses most does. */
uint64_t registry_limit_used(const struct control *c, enum registry_limit limit);

/* Is this much within the limit? Else it is counted as refused and err says so: "too many connections:
 * limits.registry_connections = 1024". */
MUST_USE bool registry_within(struct control *c, enum registry_limit limit, uint64_t wanted, struct error *err);
