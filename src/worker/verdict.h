/* verdict.h - what the proxy decided about a request that it answers itself: one row makes the enum,
 * the status, the page and the Proxy-Status (RFC 9209).
 *
 * Thread: any; constant data. */
#pragma once
#include "base/slice.h"

/* X(ID, status, name in logs, Proxy-Status error type, sentence for the client) */
#define VERDICTS(X) \
    X(PASS, 0, "", "", "") \
    X(NO_ROUTE, 404, "no_route", "destination_not_found", \
      "Nothing is served under this address.") \
    X(NO_ROUTE_503, 503, "no_route", "destination_not_found", \
      "Nothing is served under this address at present.") \
    X(NO_ROUTE_CLOSE, 0, "no_route", "destination_not_found", "") \
    X(BAD_REQUEST, 400, "bad_request", "http_request_error", \
      "The request could not be understood.") \
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
    X(HEAD_TIMEOUT, 408, "head_timeout", "http_request_error", \
      "The request took too long to arrive.") \
    X(NO_ADDRESS, 502, "no_address", "dns_error", \
      "The backend's name has no address.") \
    X(CONNECT_REFUSED, 502, "connect_refused", "connection_refused", \
      "The backend refused the connection.") \
    X(CONNECT_FAILED, 502, "connect_failed", "destination_ip_unroutable", \
      "The backend could not be reached.") \
    X(CONNECT_TIMEOUT, 504, "connect_timeout", "connection_timeout", \
      "The backend did not accept the connection in time.") \
    X(BACKEND_BROKE, 502, "backend_broke", "connection_terminated", \
      "The backend closed the connection before it had answered.") \
    X(BACKEND_LATE, 504, "backend_late", "connection_read_timeout", \
      "The backend did not answer in time.") \
    X(BAD_RESPONSE, 502, "bad_response", "http_protocol_error", \
      "The backend sent an answer that is not valid HTTP.") \
    X(RESPONSE_TOO_BIG, 502, "response_head_too_big", "http_response_header_section_size", \
      "The header fields of the backend's answer are too large.") \
    X(RESPONSE_CUT, 0, "response_cut", "http_response_incomplete", "") \
    X(CLIENT_GONE, 0, "client_gone", "", "") \
    X(NO_MEMORY, 503, "no_memory", "proxy_internal_error", \
      "The proxy is short of memory.")

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
};

extern const struct verdict_info verdict_table[VERDICT_COUNT];
