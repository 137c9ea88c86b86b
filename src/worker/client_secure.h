/* client_secure.h - a client's TLS handshake, to its end: what was agreed on is spoken from there on.
 *
 * Thread: the worker's. */
#pragma once
#include "worker/close_reason.h"

struct client;

/* Runs the next step of its handshake. */
void client_handshake(struct client *c);

/* It failed, or took too long: logs and closes; who spoke HTTP in clear is told so. */
void client_handshake_failed(struct client *c, enum close_reason reason);
