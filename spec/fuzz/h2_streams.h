/* h2_streams.h - the streams of a struct h2_world: what uses them as requests do.
 *
 * A client's stream reads its head and body and answers, as worker/h2_client.c does for a request; a stream to a backend sends a
 * request and reads what comes, as worker/h2_origin.c does. When they do it, whether they end before their time, and what they
 * send, the world's script says: three bytes of it for each stream. Bodies pass through worker/relay.h.
 *
 * Thread: the world's. Ownership: the world's list; freed behind the turn in which they close. */
#pragma once
#include "http/head.h"
#include "spec/fuzz/h2_world.h"
#include "worker/h2_stream.h"
#include "worker/relay.h"

/* What was received, in numbers that can be compared. */
struct h2_record {
    int32_t id;
    unsigned heads, fields;
    bool bodyless, ended;
    bool failed; /* reset, by the peer or for what it sent */
    uint64_t head, body, body_len, trailers;
};

struct h2_fuzz_stream {
    struct retired retired; /* first */
    struct conn conn;
    struct h2_stream stream;
    struct list link; /* in the world's streams */
    struct h2_world *world;
    uint8_t when, what, how; /* of the script */
    /* received */
    struct http_head head;
    bool read_head, bad_head, received;
    uint64_t body_len;
    bool body_ended;
    struct relay in;
    /* sent */
    bool sent_head, sent;
    uint32_t size, at; /* bytes of the body; of these sent */
    bool trailed;
    struct relay out;
};

/* struct h2_owner's accept. */
struct h2_stream *h2_streams_accept(struct h2_world *w, int32_t id, struct h2_fields *fields, bool ends);

/* Towards a backend: sends a request, if there is room for one. */
void h2_streams_request(struct h2_world *w);

/* Lets each go on, as if what it waits for had happened. */
void h2_streams_wake(struct h2_world *w);

/* What a still stream was given. */
void h2_streams_record(const struct h2_fuzz_stream *s, struct h2_record *out);

/* Closes still streams. */
void h2_streams_drop(struct h2_world *w);
