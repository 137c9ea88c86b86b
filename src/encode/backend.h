/* backend.h - what an encoder asks of a library; for the files of src/encode only.
 *
 * Thread: the encoder's. Ownership: the state is the encoder's, made and freed through these functions. */
#pragma once
#include "encode/encoder.h"
#include "encode/keep.h"

struct encoder_backend {
    struct slice name;
    int level_max;
    /* The state for a level, ready for start; NULL: out of memory. What it allocates by keep counts there. */
    void *(*make)(int level, struct keep *keep);
    void (*unmake)(void *state);
    bool (*start)(void *state, uint64_t size);
    enum encode (*run)(void *state, enum encoder_order order, struct slice *in, char *out, size_t room,
                       size_t *written);
    size_t (*memory)(const void *state); /* beside what keep counts; NULL: nothing */
};

extern const struct encoder_backend encoder_gzip, encoder_brotli, encoder_zstd;
