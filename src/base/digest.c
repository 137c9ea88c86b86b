#include "base/digest.h"

#include "base/check.h"

#include <openssl/sha.h>

void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_SIZE])
{
    CHECK(SHA256(bytes, len, out));
}
