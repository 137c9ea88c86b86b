/* forward.h - which fields a head has after it passed the proxy (RFC 9110 section 7.6).
 *
 * Hop-by-hop fields go; Via, X-Forwarded-For/-Proto/-Host, X-Real-IP and, where it is switched on, Forwarded are
 * made; those of a client that is no trusted proxy are thrown away. Framing and Connection are the codec's.
 *
 * Thread: the worker's. Ownership: *out points into the message, the configuration and its own text. */
#pragma once
#include <stdbool.h>

struct address;
struct settings;

struct field_list;
struct http_field;
struct http_head;
struct request;

/* Is a peer a proxy whose fields are believed? */
bool forward_is_trusted(const struct settings *settings, const struct address *peer);

/* The fields that the backend gets. */
void forward_request(const struct request *rq, struct field_list *out);

/* May this trailer of the request follow them? Not under a name that is for the proxy, or the route's policy, to say. For
 * struct relay. */
bool forward_trailer(const struct request *rq, const struct http_field *trailer);

/* The fields that the client gets of a response. */
void forward_response(const struct request *rq, const struct http_head *response,
                      struct field_list *out);

/* The response fields that the proxy sets on every response, its own included. */
void forward_defaults(const struct request *rq, struct field_list *out);
