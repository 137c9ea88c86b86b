/* random.h - random numbers: unguessable ones from the system, fast ones for choices.
 *
 * Thread: random_secure any; a struct random belongs to one thread. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stddef.h>
#include <stdint.h>
#endif

/* Fills out with len bytes from getrandom(2). Aborts when the system has none to give. */
void random_secure(void *out, size_t len);

/* A fast generator (xoshiro256**, Blackman and Vigna 2018); not for secrets. */
struct random {
    uint64_t s[4];
};

void random_init(struct random *r, uint64_t seed);
uint64_t random_next(struct random *r);
