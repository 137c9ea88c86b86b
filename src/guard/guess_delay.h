/* guess_delay.h - how long an address has to wait that has guessed wrong.
 *
 * Each wrong guess of an address doubles the delay of its next one, from 100 ms to 5 s. One is forgiven each ten
 * seconds. An IPv6 address counts by its network of 64 bits.
 *
 * Memory is bounded: sets of four entries; a new address takes an empty one, else the one whose last guess is the
 * oldest. So who has many addresses can have delays forgotten, at the price of as many guesses.
 *
 * Thread: one. Time: callers pass now_ms (monotonic). Ownership: guesses_new to guesses_free. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stddef.h>
#include <stdint.h>
#endif

enum { GUESS_FIRST_MS = 100, GUESS_MOST_MS = 5000, GUESS_FORGIVE_MS = 10000, GUESS_SETS = 512, GUESS_SET_SIZE = 4 };

struct guesses;

struct guesses *guesses_new(void);
void guesses_free(struct guesses *g); /* NULL is fine */

/* A guess of the address (4 or 16 bytes) was wrong. */
void guesses_add(struct guesses *g, const uint8_t *ip, size_t size, uint64_t now_ms);

/* For how long its next guess has to wait, from its arrival on. */
uint64_t guesses_delay_ms(const struct guesses *g, const uint8_t *ip, size_t size, uint64_t now_ms);
