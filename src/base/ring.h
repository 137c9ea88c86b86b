/* ring.h - a queue of records between one writing and one reading thread, in a fixed block of memory.
 *
 * A record is a tag byte and up to RING_RECORD_MAX bytes. A record that does not fit is refused, never cut.
 *
 * Thread: ring_put by the one writer, ring_take by the one reader, at the same time. Ownership: the caller's. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdatomic.h>
#include <stdint.h>

enum { RING_SIZE = 256 * 1024, RING_RECORD_MAX = 8 * 1024 };

struct ring {
    _Alignas(64) _Atomic uint64_t written; /* bytes ever written; by the writer */
    _Alignas(64) _Atomic uint64_t taken;   /* bytes ever taken; by the reader */
    char bytes[RING_SIZE];
};

/* Appends a record; false when there is no room. *was_empty: the reader had taken everything before. */
MUST_USE bool ring_put(struct ring *r, uint8_t tag, struct slice record, bool *was_empty);

/* Copies the oldest record to out (RING_RECORD_MAX bytes) and removes it; false when there is none. */
MUST_USE bool ring_take(struct ring *r, uint8_t *tag, char *out, size_t *len);
