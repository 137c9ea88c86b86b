/* compress_source.h - a relay's source that encodes what another source has.
 *
 * Output goes through one small block, and nothing is taken from the other source that it has no room for. Its trailers
 * pass. What was taken is flushed when the loop has looked and the backend has sent nothing more, so that what a
 * streaming backend says arrives at once, and what a fast one says is not cut into small pieces. At the end of
 * the loop turn's time it stops, as if the backend had to send more.
 *
 * Thread: the worker's. Ownership: a request's; it holds an encoder of the worker's compressor. */
#pragma once
#include "base/buf.h"
#include "worker/compressor.h"
#include "worker/relay.h"

struct compress_source {
    struct later later; /* first */
    struct request *request;
    struct compressor *compressor;
    struct encoder *encoder;
    const struct source_ops *from; /* what is encoded */
    void *source;
    struct buf out;      /* encoded; holds a block only while there is something in it */
    uint64_t taken;      /* bytes of the body as it came */
    uint64_t given;      /* encoded bytes that the relay has moved */
    enum encoder_order order; /* the last one */
    bool busy;      /* it is not carried out yet */
    bool unflushed; /* bytes were taken since the last flush */
    bool flush;     /* and the loop found that nothing more came */
    bool tired;     /* stopped because the turn's time is over */
    bool finished;  /* the encoder has given all; out may hold the last of it */
};

/* A source without a body to read from, with an encoder that was started. NULL: out of memory; the encoder stays the
 * caller's. */
struct compress_source *compress_source_new(struct request *rq, struct compressor *c, struct encoder *e);

/* Gives the encoder back. NULL inside is fine. */
void compress_source_free(struct compress_source **s);

/* Puts itself between the relay and its source. */
void compress_source_open(struct compress_source *s, struct relay *r);

/* The relay has nothing to move. True: only because time was over, and the request goes on in the next turn. False:
 * the backend has to send more; what is not flushed will be, soon. */
bool compress_source_goes_on(struct compress_source *s);
