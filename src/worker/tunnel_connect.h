/* tunnel_connect.h - extended CONNECT (RFC 8441) of a client towards a backend that speaks HTTP/1: the handshake of WebSocket that the
 * client knows nothing of.
 *
 * The backend gets a Sec-WebSocket-Key of the proxy's own and has to answer it; the client sees neither. For other protocols
 * there is nothing to do.
 *
 * Thread: the worker's. */
#pragma once
#include <stdbool.h>

struct field_list;
struct http_head;
struct request;

/* Adds what the backend has to be asked. */
void tunnel_connect_ask(struct request *rq, struct field_list *fields);

/* Did it answer that? */
bool tunnel_connect_agrees(const struct request *rq, const struct http_head *response);

/* Takes its answer out of the client's head. */
void tunnel_connect_answer(struct field_list *fields);
