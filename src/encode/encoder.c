#include "encode/encoder.h"

#include "encode/backend.h"

#include <stdlib.h>

struct encoder {
    enum encoder_kind kind;
    int level;
    void *state; /* the backend's */
    struct keep keep;
};

static const struct encoder_backend *const backends[ENCODER_KINDS] = {
#ifdef TIDELOCK_ZSTD
    [ENCODER_ZSTD] = &encoder_zstd,
#endif
    [ENCODER_BROTLI] = &encoder_brotli,
    [ENCODER_GZIP] = &encoder_gzip,
};

bool encoder_available(enum encoder_kind kind)
{
    return backends[kind] != NULL;
}

struct slice encoder_name(enum encoder_kind kind)
{
    return backends[kind] ? backends[kind]->name : SLICE("zstd");
}

int encoder_level_max(enum encoder_kind kind)
{
    return backends[kind] ? backends[kind]->level_max : 0;
}

struct encoder *encoder_new(enum encoder_kind kind, int level)
{
    struct encoder *e = calloc(1, sizeof(*e));

    CHECK(backends[kind] && level >= 1 && level <= backends[kind]->level_max);
    if (!e)
        return NULL;
    e->kind = kind;
    e->level = level;
    e->state = backends[kind]->make(level, &e->keep);
    if (!e->state)
        encoder_free(&e);
    return e;
}

void encoder_free(struct encoder **ep)
{
    struct encoder *e = *ep;

    *ep = NULL;
    if (!e)
        return;
    if (e->state)
        backends[e->kind]->unmake(e->state);
    keep_fini(&e->keep);
    free(e);
}

enum encoder_kind encoder_kind(const struct encoder *e)
{
    return e->kind;
}

int encoder_level(const struct encoder *e)
{
    return e->level;
}

bool encoder_start(struct encoder *e, uint64_t size)
{
    return backends[e->kind]->start(e->state, size);
}

enum encode encoder_run(struct encoder *e, enum encoder_order order, struct slice *in, char *out, size_t room,
                        size_t *written)
{
    CHECK(room >= ENCODER_ROOM_MIN);
    *written = 0;
    return backends[e->kind]->run(e->state, order, in, out, room, written);
}

size_t encoder_memory(const struct encoder *e)
{
    const struct encoder_backend *b = backends[e->kind];

    return e->keep.bytes + (b->memory ? b->memory(e->state) : 0);
}
