/* grpc.h - what gRPC clients need that is no HTTP: the proxy's own answers in their terms.
 *
 * A gRPC client looks for grpc-status, not for a status of HTTP: it gets 200 and a head without body ("trailers-only"), with
 * the status that stands for the verdict's:
 *
 *   400 INTERNAL   401 UNAUTHENTICATED   403 PERMISSION_DENIED   404 UNIMPLEMENTED   408, 504 DEADLINE_EXCEEDED
 *   413, 414, 429, 431 RESOURCE_EXHAUSTED   502, 503 UNAVAILABLE   501, 505 UNIMPLEMENTED   others UNKNOWN
 *
 * That is gRPC's own mapping (doc/http-grpc-status-mapping.md), but for what the proxy knows better than a client can
 * guess: its time-outs and limits.
 *
 * Thread: the worker's. */
#pragma once
#include "base/slice.h"
#include <stdbool.h>

struct field_list;
struct http_head;

/* Is the request a call of gRPC (Content-Type application/grpc, +proto and the like)? Not of gRPC-Web. */
bool grpc_is_call(const struct http_head *request);

/* Content-Type, grpc-status and grpc-message for an answer of HTTP status; message: printable ASCII without %. */
void grpc_answer_fields(int status, struct slice message, struct field_list *out);
