#include "encode/backend.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    WINDOW_BITS = 15 + 16, /* 32 KiB; + 16: with gzip's header and trailer */
    MEMORY_LEVEL = 8,
    LEVEL_MAX = 9
};

static void *take(void *keep, uInt items, uInt size)
{
    return keep_take(keep, (size_t)items * size);
}

static void put(void *keep, void *memory)
{
    keep_put(keep, memory);
}

static void *make(int level, struct keep *keep)
{
    z_stream *z = calloc(1, sizeof(*z));

    if (!z)
        return NULL;
    z->zalloc = take;
    z->zfree = put;
    z->opaque = keep;
    if (deflateInit2(z, level, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
        return z;
    free(z);
    return NULL;
}

static void unmake(void *state)
{
    (void)deflateEnd(state);
    free(state);
}

static bool start(void *state, uint64_t size)
{
    (void)size;
    return deflateReset(state) == Z_OK;
}

/* Z_BUF_ERROR is no error: there was nothing to do. A flush is over when it left room. */
static enum encode run(void *state, enum encoder_order order, struct slice *in, char *out, size_t room,
                       size_t *written)
{
    static const int flush[] = {
        [ENCODER_FEED] = Z_NO_FLUSH, [ENCODER_FLUSH] = Z_SYNC_FLUSH, [ENCODER_FINISH] = Z_FINISH};
    z_stream *z = state;
    int result;

    CHECK(in->len <= UINT32_MAX && room <= UINT32_MAX);
    z->next_in = (Bytef *)in->data;
    z->avail_in = (uInt)in->len;
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)room;
    result = deflate(z, flush[order]);
    *in = slice_skip(*in, in->len - z->avail_in);
    *written = room - z->avail_out;
    if (result == Z_STREAM_END)
        return ENCODE_DONE;
    if (result != Z_OK && result != Z_BUF_ERROR)
        return ENCODE_BAD;
    if (z->avail_out == 0)
        return ENCODE_FULL;
    return order == ENCODER_FINISH || z->avail_in ? ENCODE_BAD : ENCODE_DONE;
}

const struct encoder_backend encoder_gzip = {SLICE_INIT("gzip"), LEVEL_MAX, make, unmake, start, run, NULL};
