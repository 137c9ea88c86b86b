/* h1_client.h - the HTTP/1 codec towards clients (RFC 9112).
 *
 * Thread: the worker's. */
#pragma once
#include "worker/codec.h"

extern const struct client_codec h1_client_codec;
