#include "encode/backend.h"

#include <brotli/encode.h>
#include <stdlib.h>

/* A window of 64 KiB: a larger one costs memory and gave 1 % on answers of 1 MiB. A size hint of a MiB and more, or a
 * level past 6, makes the encoder take larger tables. */
enum { WINDOW_BITS = 16, SIZE_HINT_MAX = (1 << 20) - 1, LEVEL_MAX = 6 };

struct brotli {
    BrotliEncoderState *stream; /* of this stream; NULL: none was begun, or there was no memory */
    int level;
    struct keep *keep;
};

static void *take(void *keep, size_t size)
{
    return keep_take(keep, size);
}

static void put(void *keep, void *memory)
{
    keep_put(keep, memory);
}

static void *make(int level, struct keep *keep)
{
    struct brotli *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->level = level;
    b->keep = keep;
    return b;
}

static void end_stream(struct brotli *b)
{
    if (b->stream)
        BrotliEncoderDestroyInstance(b->stream);
    b->stream = NULL;
}

static void unmake(void *state)
{
    end_stream(state);
    free(state);
}

static bool start(void *state, uint64_t size)
{
    struct brotli *b = state;
    uint32_t hint = size < SIZE_HINT_MAX ? (uint32_t)size : SIZE_HINT_MAX;

    end_stream(b);
    b->stream = BrotliEncoderCreateInstance(take, put, b->keep);
    return b->stream &&
           BrotliEncoderSetParameter(b->stream, BROTLI_PARAM_QUALITY, (uint32_t)b->level) &&
           BrotliEncoderSetParameter(b->stream, BROTLI_PARAM_LGWIN, WINDOW_BITS) &&
           BrotliEncoderSetParameter(b->stream, BROTLI_PARAM_SIZE_HINT, hint);
}

static enum encode run(void *state, enum encoder_order order, struct slice *in, char *out, size_t room,
                       size_t *written)
{
    static const BrotliEncoderOperation operation[] = {
        [ENCODER_FEED] = BROTLI_OPERATION_PROCESS,
        [ENCODER_FLUSH] = BROTLI_OPERATION_FLUSH,
        [ENCODER_FINISH] = BROTLI_OPERATION_FINISH,
    };
    BrotliEncoderState *s = ((struct brotli *)state)->stream;
    const uint8_t *next_in = (const uint8_t *)in->data;
    uint8_t *next_out = (uint8_t *)out;
    size_t avail_out = room;
    BROTLI_BOOL ok = BrotliEncoderCompressStream(s, operation[order], &in->len, &next_in, &avail_out, &next_out, NULL);

    in->data = (const char *)next_in;
    *written = room - avail_out;
    if (!ok)
        return ENCODE_BAD;
    if (in->len || BrotliEncoderHasMoreOutput(s))
        return ENCODE_FULL;
    return order == ENCODER_FINISH && !BrotliEncoderIsFinished(s) ? ENCODE_FULL : ENCODE_DONE;
}

const struct encoder_backend encoder_brotli = {SLICE_INIT("br"), LEVEL_MAX, make, unmake, start, run, NULL};
