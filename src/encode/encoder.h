/* encoder.h - content codings: bytes in, encoded bytes out, in pieces of any size and with bounded memory.
 *
 * An encoder is made for a coding and a level, and does one stream after the other. What it has allocated it keeps for
 * the next stream, as page faults cost more than a small stream's work. The most that one holds, at any level and however
 * long the stream (spec/bench/compress.lua): zstd 1660 KiB, brotli 1870, gzip 262; for 8 KiB of known size zstd 175.
 *
 * Thread: one at a time. Ownership: the caller's. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdint.h>
#endif

enum encoder_kind { ENCODER_ZSTD, ENCODER_BROTLI, ENCODER_GZIP, ENCODER_KINDS };

enum encoder_order {
    ENCODER_FEED,  /* take bytes; output may come later */
    ENCODER_FLUSH, /* what was taken has to be readable for whoever has the output so far */
    ENCODER_FINISH /* the stream ends behind these bytes */
};

enum encode {
    ENCODE_DONE, /* all bytes are taken, and the order is carried out */
    ENCODE_FULL, /* out is full: call again with the rest, the same order and room */
    ENCODE_BAD   /* no memory, or a fault of the library: the stream is lost */
};

enum { ENCODER_ROOM_MIN = 64 }; /* less room for output than this makes no sense, and may bring it to a stop */

#define ENCODER_SIZE_UNKNOWN UINT64_MAX

struct encoder;

/* Is the coding built in? zstd is where its library was there. */
bool encoder_available(enum encoder_kind kind);

/* The name of the coding on the wire: "zstd", "br", "gzip". */
struct slice encoder_name(enum encoder_kind kind);

/* The levels that make sense, with bounded memory: 1 to this. */
int encoder_level_max(enum encoder_kind kind);

/* An encoder that is ready for encoder_start. NULL: out of memory. The kind has to be available. */
struct encoder *encoder_new(enum encoder_kind kind, int level);
void encoder_free(struct encoder **e); /* NULL inside is fine */

enum encoder_kind encoder_kind(const struct encoder *e);
int encoder_level(const struct encoder *e);

/* Begins a stream of size bytes (exactly, or ENCODER_SIZE_UNKNOWN), whatever became of the one before. False: out of
 * memory. */
MUST_USE bool encoder_start(struct encoder *e, uint64_t size);

/* Takes bytes off the front of *in, and puts output into out, which has room bytes (at least ENCODER_ROOM_MIN);
 * *written says how many. */
MUST_USE enum encode encoder_run(struct encoder *e, enum encoder_order order, struct slice *in, char *out,
                                 size_t room, size_t *written);

/* Bytes that it has allocated, those it keeps for the next stream included. */
size_t encoder_memory(const struct encoder *e);
