/* hash.h - a fast, seeded 64-bit hash of bytes, for tables in memory and for spreading clients; SHA-256 for
 * secrets.
 *
 * Thread: any. But for hash_sha256 not cryptographic; tables that strangers can fill use a random seed
 * (hash_seed). */
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

enum { HASH_SHA256_SIZE = 32 };

/* The SHA-256 digest of len bytes. */
void hash_sha256(const void *bytes, size_t len, uint8_t out[HASH_SHA256_SIZE]);

/* A seed drawn from the system when the process started. */
uint64_t hash_seed(void);
