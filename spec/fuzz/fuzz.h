/* fuzz.h - the fuzz targets, and what they share.
 *
 * A target takes any bytes and aborts (CHECK) when something that must hold does not: it compares with a simpler model, reads in
 * pieces what it has read whole, or writes what was read and reads it again. "Does not crash" alone is no target.
 *
 * The same targets run in two programs: build-fuzz/fuzz, which libFuzzer feeds (make fuzz), and fuzz-replay, built by gcc
 * against the product's library, which runs the files of corpus/ and regressions/ in every `make test`.
 *
 * To add one: a line in FUZZ_TARGETS, a function in a file of this directory, and files in corpus/NAME. What libFuzzer finds
 * is mended, and its input goes to regressions/NAME.
 *
 * Thread: one. Ownership: the input is the caller's, in a block of exactly its size. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stddef.h>
#include <stdint.h>

/* X(name, most bytes of an input that libFuzzer makes) */
#define FUZZ_TARGETS(X)                                                                            \
    X(request_head, 1024)                                                                          \
    X(response_head, 1024)                                                                         \
    X(chunked, 512)                                                                                \
    X(trailers, 512)                                                                               \
    X(h2_head, 1024)                                                                               \
    X(h2_frames, 1024)                                                                             \
    X(ws_frame, 512)                                                                               \
    X(path, 256)                                                                                   \
    X(accept, 256)                                                                                 \
    X(media_type, 128)                                                                             \
    X(url, 256)                                                                                    \
    X(address, 64)                                                                                 \
    X(option, 128)                                                                                 \
    X(pattern, 128)                                                                                \
    X(json, 256)                                                                                   \
    X(registry, 512)                                                                               \
    X(config, 256)

#define FUZZ_DECLARE(name, max_len) void fuzz_##name(struct slice input);
FUZZ_TARGETS(FUZZ_DECLARE)
#undef FUZZ_DECLARE

struct fuzz_target {
    const char *name;
    void (*run)(struct slice input);
    unsigned max_len; /* bytes */
};

/* All of them; the last has no name. */
extern const struct fuzz_target fuzz_targets[];

/* The one of this name, or NULL. */
const struct fuzz_target *fuzz_find(const char *name);

/* A copy in a block of exactly its size, so that a sanitizer sees a read past its end. The caller frees data. */
struct slice fuzz_copy(struct slice text);

/* Takes the first byte off, for choices; 0 when there is none. */
uint8_t fuzz_take(struct slice *input);

/* The same text, or both absent. */
bool fuzz_same(struct slice a, struct slice b);

/* All of part lies in whole. */
bool fuzz_within(struct slice part, struct slice whole);
