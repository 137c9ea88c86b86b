/* verdict.h - what the proxy decided about a request that it answers itself: one row makes the enum,
 * the status, the page and the Proxy-Status (RFC 9209).
 *
 * Thread: any; constant data. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/slice.h"
#endif

/* X(ID, status, name in logs, Proxy-Status error type, sentence for the client). Of the reasons that keep
 * members of a group from a request the first here is told, in the order of guard/effective.c. */
#define VERDICTS(X) \
    X(PASS, 0, "", "", "") \
    X(NO_ROUTE, 404, "no_route", "destination_not_found", \
      "Nothing is served under this address.") \
    X(NO_ROUTE_503, 503, "no_route", "destination_not_found", \
      "Nothing is served under this address at present.") \
    X(NO_ROUTE_CLOSE, 0, "no_route", "destination_not_found", "") \
    X(BAD_REQUEST, 400, "bad_request", "http_request_error", \
      "The request could not be understood.") \
    X(BAD_PATH, 400, "bad_path", "http_request_error", \
      "The path of the request is written in a way that servers understand in different ways.") \
    X(ENCODED_SEPARATORS, 400, "encoded_separators", "http_request_error", \
      "The path of the request holds an escaped slash or backslash, which this service does not take.") \
    X(HEAD_TOO_BIG, 431, "head_too_big", "http_request_error", \
      "The header fields of the request are too large.") \
    X(TARGET_TOO_LONG, 414, "target_too_long", "http_request_error", \
      "The address of the request is too long.") \
    X(BODY_TOO_BIG, 413, "body_too_big", "http_request_error", \
      "The body of the request is larger than allowed.") \
    X(BAD_VERSION, 505, "bad_version", "http_request_error", \
      "This version of HTTP is not served here.") \
    X(NO_CONNECT, 501, "no_connect", "http_request_denied", \
      "CONNECT is not served here.") \
    X(LAST_STEP, 501, "last_step", "http_request_denied", \
      "The request may go no further, and the proxy itself does not answer such requests.") \
    X(NO_HTTP2, 421, "no_http2", "http_request_denied", \
      "This service is not served over HTTP/2: ask again over HTTP/1.1.") \
    X(REDIRECT_301, 301, "redirect_https", "", \
      "This address is served over https.") \
    X(REDIRECT_308, 308, "redirect_https", "", \
      "This address is served over https.") \
    X(ACME_ANSWER, 200, "acme_answer", "", \
      "The answer to a challenge.") \
    X(NO_CHALLENGE, 404, "no_challenge", "http_request_denied", \
      "There is no answer to this challenge.") \
    X(MISDIRECTED, 421, "misdirected", "http_request_denied", \
      "The connection was made for another host.") \
    X(HEAD_TIMEOUT, 408, "head_timeout", "http_request_error", \
      "The request took too long to arrive.") \
    X(BODY_SLOW, 408, "body_slow", "http_request_error", \
      "The body of the request arrived too slowly.") \
    X(NO_ADDRESS, 502, "no_address", "dns_error", \
      "The backend's name has no address.") \
    X(CONNECT_REFUSED, 502, "connect_refused", "connection_refused", \
      "The backend refused the connection.") \
    X(CONNECT_FAILED, 502, "connect_failed", "destination_ip_unroutable", \
      "The backend could not be reached.") \
    X(CONNECT_TIMEOUT, 504, "connect_timeout", "connection_timeout", \
      "The backend did not accept the connection in time.") \
    X(BACKEND_NO_HTTP2, 502, "backend_no_http2", "http_protocol_error", \
      "The backend does not speak HTTP/2, as its address says it does.") \
    X(TLS_CERTIFICATE, 502, "tls_certificate", "tls_certificate_error", \
      "The backend's certificate is not valid.") \
    X(TLS_ALERT, 502, "tls_alert", "tls_alert_received", \
      "The backend refused the TLS connection.") \
    X(TLS_FAILED, 502, "tls_failed", "tls_protocol_error", \
      "No TLS connection to the backend came about.") \
    X(BACKEND_BROKE, 502, "backend_broke", "connection_terminated", \
      "The backend closed the connection before it had answered.") \
    X(BACKEND_LATE, 504, "backend_late", "connection_read_timeout", \
      "The backend did not answer in time.") \
    X(BAD_RESPONSE, 502, "bad_response", "http_protocol_error", \
      "The backend sent an answer that is not valid HTTP.") \
    X(RESPONSE_TOO_BIG, 502, "response_head_too_big", "http_response_header_section_size", \
      "The header fields of the backend's answer are too large.") \
    X(MAINTENANCE, 503, "maintenance", "destination_unavailable", \
      "This service is under maintenance.") \
    X(DRAINING, 503, "draining", "destination_unavailable", \
      "This service is being moved away from here.") \
    X(HEALTH_AWAITED, 503, "health_awaited", "destination_unavailable", \
      "The backend has not passed its first health check yet.") \
    X(HEALTH_DOWN, 503, "health_down", "destination_unavailable", \
      "The backend does not pass its health check.") \
    X(CIRCUIT_OPEN, 503, "circuit_open", "destination_unavailable", \
      "The backend failed too often and is given a pause.") \
    X(CIRCUIT_PROBING, 503, "circuit_probing", "destination_unavailable", \
      "The backend failed a while ago and is being tried with few requests.") \
    X(MEMBER_FULL, 503, "member_full", "connection_limit_reached", \
      "As many requests are in progress as the backend takes at a time.") \
    X(TUNNELS_FULL, 503, "tunnels_full", "connection_limit_reached", \
      "As many connections of this kind are open as may be.") \
    X(RATE_LIMITED, 429, "rate_limited", "http_request_denied", \
      "Too many requests were sent from this address.") \
    X(POLICY_ANSWER, 403, "policy_answer", "", \
      "The policy of this service answered the request.") \
    X(POLICY_FAILED, 503, "policy_failed", "proxy_internal_error", \
      "The policy of this service failed, and nothing passes without it.") \
    X(POLICY_EXCLUDED, 503, "policy_excluded", "destination_unavailable", \
      "The policy of this service lets no backend answer.") \
    X(RESPONSE_CUT, 0, "response_cut", "http_response_incomplete", "") \
    X(CLIENT_GONE, 0, "client_gone", "", "") \
    X(NO_DESCRIPTOR, 503, "no_descriptor", "proxy_internal_error", \
      "The proxy has as many connections open as it may have.") \
    X(BUFFERS_FULL, 503, "buffers_full", "proxy_internal_error", \
      "The proxy has too many requests in its memory.") \
    X(NO_MEMORY, 503, "no_memory", "proxy_internal_error", \
      "The proxy is short of memory.")

/* X(ID, field name, value): a response field of its own that goes with a verdict. */
#define VERDICT_FIELDS(X) \
    X(MAINTENANCE, "X-Maintenance-Mode", "true") \
    X(DRAINING, "X-Drain-Mode", "true") \
    X(CIRCUIT_OPEN, "X-Circuit-State", "open") \
    X(CIRCUIT_PROBING, "X-Circuit-State", "half-open") \
    X(HEALTH_DOWN, "X-Circuit-State", "open")

enum verdict {
#define VERDICT_ID(id, status, name, error, text) VERDICT_##id,
    VERDICTS(VERDICT_ID)
#undef VERDICT_ID
    VERDICT_COUNT
};

struct verdict_info {
    int status;              /* answer to the client; 0: no answer, the connection ends */
    struct slice name;       /* in logs */
    struct slice error_type; /* Proxy-Status error; empty: none */
    struct slice text;       /* for the client */
    struct slice field;      /* name of a response field of its own; empty: none */
    struct slice field_value;
};

extern const struct verdict_info verdict_table[VERDICT_COUNT];

/* Seconds that Retry-After says when nothing better is known; 0: the answer has no such field. */
unsigned verdict_retry_after_s(enum verdict verdict);
