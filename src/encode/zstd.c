#include "encode/backend.h"

#ifdef TIDELOCK_ZSTD
#include <zstd.h>

/* A window of 128 KiB, and tables to go with it: left alone, levels past 3 take many MiB when the size is not known. */
enum { WINDOW_LOG = 17, HASH_LOG = 17, CHAIN_LOG = 16, LEVEL_MAX = 9 };

static bool set(ZSTD_CCtx *z, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(z, parameter, value));
}

static void *make(int level, struct keep *keep)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();

    (void)keep;
    if (z && set(z, ZSTD_c_compressionLevel, level) && set(z, ZSTD_c_windowLog, WINDOW_LOG) &&
        set(z, ZSTD_c_hashLog, HASH_LOG) && set(z, ZSTD_c_chainLog, CHAIN_LOG))
        return z;
    (void)ZSTD_freeCCtx(z);
    return NULL;
}

static void unmake(void *state)
{
    (void)ZSTD_freeCCtx(state);
}

/* The size is said only where it helps: a small stream takes small tables. */
static bool start(void *state, uint64_t size)
{
    if (ZSTD_isError(ZSTD_CCtx_reset(state, ZSTD_reset_session_only)))
        return false;
    return size == ENCODER_SIZE_UNKNOWN || !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(state, size));
}

static enum encode run(void *state, enum encoder_order order, struct slice *in, char *out, size_t room,
                       size_t *written)
{
    static const ZSTD_EndDirective directive[] = {
        [ENCODER_FEED] = ZSTD_e_continue, [ENCODER_FLUSH] = ZSTD_e_flush, [ENCODER_FINISH] = ZSTD_e_end};
    ZSTD_inBuffer from = {in->data, in->len, 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t left = ZSTD_compressStream2(state, &to, &from, directive[order]);

    *in = slice_skip(*in, from.pos);
    *written = to.pos;
    if (ZSTD_isError(left))
        return ENCODE_BAD;
    if (in->len || (order != ENCODER_FEED && left))
        return ENCODE_FULL;
    return ENCODE_DONE;
}

static size_t memory(const void *state)
{
    return ZSTD_sizeof_CCtx(state);
}

const struct encoder_backend encoder_zstd = {SLICE_INIT("zstd"), LEVEL_MAX, make, unmake, start, run, memory};
#endif
