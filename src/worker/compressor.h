/* compressor.h - what a worker has for compressing: encoders, and a measure of the time that goes into them.
 *
 * Encoders go round, since the memory of a new one costs page faults. compression.streams bounds how many are busy. All
 * streams of a loop turn together get COMPRESSOR_TURN_US; what is not done by then waits in a queue for the next turn,
 * first come, first served, so that other requests wait no longer than that.
 *
 * Thread: the worker's. Ownership: a taken encoder is the taker's until compressor_give. */
#pragma once
#include "base/check.h"
#include "base/list.h"
#include "encode/encoder.h"

enum { COMPRESSOR_TURN_US = 1000 };

struct compressor;
struct worker;

/* Something that goes on in a later turn of the loop. Embedded; list_init before use, list_remove ends the wait. */
struct later {
    struct list link;
    void (*run)(struct later *later);
};

/* The worker's; made at the first call. NULL: out of memory. */
struct compressor *compressor_of(struct worker *w);
void compressor_free(struct compressor **c); /* NULL inside is fine */

/* Frees encoders that nobody needed lately, as spares_trim does. NULL is fine. */
void compressor_trim(struct compressor *c);

/* An encoder ready for encoder_start. NULL: too many are busy, or out of memory. */
struct encoder *compressor_take(struct compressor *c, enum encoder_kind kind);
void compressor_give(struct compressor *c, struct encoder **e);

/* Is there time left in this turn? */
bool compressor_has_time(struct compressor *c);

/* Encoding has taken us microseconds. */
void compressor_spent(struct compressor *c, uint64_t us);

/* Has encoding taken more of the last second than compression.cpu allows? */
bool compressor_is_overworked(const struct compressor *c);

/* Runs it once in a later turn. Does nothing when it waits already. */
void compressor_later(struct compressor *c, struct later *later);
