/* h2_client.h - the HTTP/2 side that faces clients: a stream as a client of its own, and the codec of its request.
 *
 * Thread: the worker's. Ownership: the client owns the stream and frees itself at the end of the loop turn. */
#pragma once
#include "worker/codec.h"
#include "worker/h2_stream.h"

struct client;

extern const struct client_codec h2_client_codec;

/* A client for the stream whose head has arrived; takes over the block of fields. ends: no body follows. NULL: out of
 * memory. */
struct h2_stream *h2_client_open(const struct client *parent, struct h2_session *session, int32_t id,
                                 struct h2_fields *fields, bool ends);
