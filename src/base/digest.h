/* digest.h - cryptographic digests, and how they are written.
 *
 * Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stddef.h>
#include <stdint.h>
#endif

enum { DIGEST_SHA1_SIZE = 20, DIGEST_SHA256_SIZE = 32 };

/* The SHA-256 digest of len bytes. */
void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_SIZE]);

/* The SHA-1 digest: for protocols that say so, not for secrets. */
void digest_sha1(const void *bytes, size_t len, uint8_t out[DIGEST_SHA1_SIZE]);

/* len bytes in Base64 with a NUL behind: 4 for each 3 begun, and one. */
void digest_base64(const void *bytes, size_t len, char *out);
