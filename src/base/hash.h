/* hash.h - a fast, seeded 64-bit hash of bytes, for tables in memory and for spreading clients.
 *
 * Thread: any. Not cryptographic; tables that strangers can fill use a random seed (hash_seed). */
#ifndef FFI_CDEF
#pragma once
#include <stddef.h>
#include <stdint.h>
#endif

/* The hash of len bytes. The same input and seed give the same value in every process. */
uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);

/* The same with ASCII letters taken as lower case. */
uint64_t hash_bytes_nocase(const void *bytes, size_t len, uint64_t seed);

/* Spreads one number over 64 bits (splitmix64's finaliser). */
uint64_t hash_u64(uint64_t x);

/* A seed drawn from the system when the process started. */
uint64_t hash_seed(void);
