/* options.h - the option keys a route can have: one table for parsing, defaults and what is in
 * effect.
 *
 * Thread: any; constant data. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include <stdint.h>
#endif

enum option_type {
    OPTION_DURATION, /* milliseconds, written as a Go duration or bare seconds */
    OPTION_SIZE,     /* bytes: 1048576, 512k, 10m, 1g */
    OPTION_COUNT,    /* a whole number from 0 */
    OPTION_BOOL,     /* true or false */
    OPTION_LB,       /* round_robin, least_request, ip_hash */
    OPTION_PATH,     /* starts with "/" */
    OPTION_NAME,     /* a script's name */
    OPTION_PERCENT,  /* a whole number from 0 to 100 */
    OPTION_PANICS,   /* none, fail_open */
    OPTION_HOST,     /* a host name, or an IPv4 address */
    OPTION_TEXT      /* any text of at most 1024 bytes without control characters */
};

/* What a group does when all its members are down. */
enum panic_policy { PANIC_NONE, PANIC_FAIL_OPEN };

enum lb_policy { LB_ROUND_ROBIN, LB_LEAST_REQUEST, LB_IP_HASH };

/* X(ID, key, type, in effect today?, meaning) */
#define OPTIONS(X)                                                                                 \
    X(TIMEOUT, "timeout", OPTION_DURATION, true, \
      "longest wait for the head of a response, from the request's last byte, then for each piece; 0: timeouts.response") \
    X(CONNECT_TIMEOUT, "connect_timeout", OPTION_DURATION, true, "longest wait for a connection, 0: timeouts.connect")  \
    X(HEALTH_CHECK_PATH, "health_check_path", OPTION_PATH, true, "path of the health check")      \
    X(HEALTH_CHECK_INTERVAL, "health_check_interval", OPTION_DURATION, true,                      \
      "time between checks, 30s without it")                                                                       \
    X(HEALTH_CHECK_TIMEOUT, "health_check_timeout", OPTION_DURATION, true, "longest check, 5s without it")       \
    X(WEBSOCKET, "websocket", OPTION_BOOL, true,                                                   \
      "pass requests to upgrade, to WebSocket or another protocol; true without it")               \
    X(COMPRESSION, "compression", OPTION_BOOL, true, "compress responses for clients that take them so") \
    X(HTTP2, "http2", OPTION_BOOL, true, "offer HTTP/2 to clients, as is done without it")         \
    X(HTTP3, "http3", OPTION_BOOL, false, "offer HTTP/3 to clients")                               \
    X(ENCODED_SEPARATORS, "encoded_separators", OPTION_BOOL, true,                                 \
      "take requests whose path holds %2F or %5C, as they are; 400 without it")                    \
    X(MAX_BODY_SIZE, "max_body_size", OPTION_SIZE, true, "largest request body, 0 for any")        \
    X(RETRIES, "retries", OPTION_COUNT, true, "further tries after a failed one")                  \
    X(MAX_REQUESTS, "max_requests", OPTION_COUNT, true,                                            \
      "most requests in progress at a time, over all workers, 0 for any; past it another member, or 503")  \
    X(LB_POLICY, "lb_policy", OPTION_LB, true, "how a group spreads its requests")                 \
    X(PRESERVE_HOST, "preserve_host", OPTION_BOOL, true, "send the client's Host to the backend")  \
    X(TLS_VERIFY, "tls_verify", OPTION_BOOL, true, "verify the backend's certificate, true without it")  \
    X(TLS_CA, "tls_ca", OPTION_NAME, true,                                                        \
      "who is trusted to sign it: a name of backend_tls.authorities, the system's store without it")       \
    X(TLS_CERT, "tls_cert", OPTION_NAME, true,                                                    \
      "our certificate for the backend: a name of backend_tls.certificates")                       \
    X(TLS_SERVER_NAME, "tls_server_name", OPTION_HOST, true,                                      \
      "the name asked for (SNI) and verified, the URL's host without it")                          \
    X(SLOW_START, "slow_start", OPTION_DURATION, true,                                            \
      "time over which a new member's share grows")                                                \
    X(POLICY, "policy", OPTION_NAME, true, "script of scripts/policies/ that requests pass through") \
    X(POLICY_ARGS, "policy_args", OPTION_TEXT, true,                                               \
      "what that script is told: key=value, blanks between them, key='a b' with blanks inside")    \
    X(HEALTH_POLICY, "health_policy", OPTION_NAME, true,                                           \
      "script of scripts/health/ that says what results of checks mean, default without it")       \
    X(PANIC, "panic", OPTION_PANICS, true,                                                          \
      "fail_open: when every member is down, requests go to them all the same")                    \
    X(CIRCUIT_FAILURE_RATE, "circuit_failure_rate", OPTION_PERCENT, true,                          \
      "share of failed requests that opens the circuit as well, 0 for none; needs a circuit breaker") \
    X(CIRCUIT_WINDOW, "circuit_window", OPTION_DURATION, true,                                     \
      "time over which that share is taken, 10s without it")                                       \
    X(CIRCUIT_MIN_REQUESTS, "circuit_min_requests", OPTION_COUNT, true,                            \
      "fewest requests in that time for the share to count, 20 without it")                        \
    X(RATELIMIT_SHADOW, "ratelimit_shadow", OPTION_BOOL, true,                                     \
      "count what the rate limit would turn away, turn nothing away")                              \
    X(WEBSOCKET_IDLE, "websocket_idle", OPTION_DURATION, true,                                     \
      "longest time in which nothing passes through a tunnel, 0: timeouts.tunnel")                 \
    X(WEBSOCKET_MAX_AGE, "websocket_max_age", OPTION_DURATION, true,                               \
      "age at which a tunnel is closed, or up to a tenth earlier, 0: never")                       \
    X(WEBSOCKET_MAX, "websocket_max", OPTION_COUNT, true,                                          \
      "most tunnels at a time, over all workers, 0 for any; 503 past it")

enum option_id {
#define OPTION_ID(id, key, type, in_effect, meaning) OPTION_##id,
    OPTIONS(OPTION_ID)
#undef OPTION_ID
        OPTION_IDS
};

struct option_info {
    const char *key;       /* as on the wire */
    enum option_type type; /* how the value is written */
    bool in_effect;        /* false: staged and applied, but nothing acts on it yet */
    const char *meaning;   /* for the reference */
};

union option_value {
    uint64_t number; /* ms, bytes, count, percent, 0/1, enum lb_policy or enum panic_policy */
};

extern const struct option_info option_table[OPTION_IDS];

/* The row of a key, or NULL for an unknown one. Its index is the enum option_id. */
const struct option_info *option_find(struct slice key);

/* Reads a value. false: err names the key and what it takes. For OPTION_PATH, OPTION_NAME,
 * OPTION_HOST and OPTION_TEXT only checks. */
MUST_USE bool option_parse(const struct option_info *option, struct slice value,
                           union option_value *out, struct error *err);

/* A Go duration ("300ms", "1m30s", "1.5h") or a bare number of seconds to milliseconds; false when
 * it is negative, empty, too large (over 100 years) or unreadable. */
MUST_USE bool duration_parse(struct slice text, uint64_t *ms);
