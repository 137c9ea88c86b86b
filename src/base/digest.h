/* digest.h - cryptographic digests, for secrets.
 *
 * Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stddef.h>
#include <stdint.h>
#endif

enum { DIGEST_SHA256_SIZE = 32 };

/* The SHA-256 digest of len bytes. */
void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_SIZE]);
