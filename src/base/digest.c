#include "base/digest.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_SIZE])
{
    CHECK(SHA256(bytes, len, out));
}

void digest_sha1(const void *bytes, size_t len, uint8_t out[DIGEST_SHA1_SIZE])
{
    CHECK(SHA1(bytes, len, out));
}

void digest_base64(const void *bytes, size_t len, char *out)
{
    (void)EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
}
