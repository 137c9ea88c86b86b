/* h2_origin.h - the HTTP/2 side that faces backends: an origin that is one stream of a carrier, and the codec of its request.
 *
 * An origin for which no carrier has a place waits in its pool, first come, first served, as long as connecting may take.
 *
 * Thread: the worker's. Ownership: as of any origin. */
#pragma once
#include "worker/codec.h"

struct carrier_failure;
struct origin;
struct pool;
struct request;

extern const struct origin_codec h2_origin_codec;

/* A stream to the pool's address for rq: busy, or connecting while it waits for a place. rq->fresh: on a connection that
 * is made now. NULL: *error is -errno. */
struct origin *h2_origin_open(struct pool *pool, struct request *rq, int *error);

/* There may be places, or room for another carrier. */
void h2_origin_seat_waiting(struct pool *pool);

/* The connection that they wait for could not be made. */
void h2_origin_fail_waiting(struct pool *pool, const struct carrier_failure *failure);
