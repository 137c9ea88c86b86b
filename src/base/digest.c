/* The interface that OpenSSL 3 would rather not see used: it allocates nothing, so it cannot fail. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_SIZE])
{
    SHA256_CTX ctx;

    CHECK(SHA256_Init(&ctx) && SHA256_Update(&ctx, bytes, len) && SHA256_Final(out, &ctx));
}

void digest_sha1(const void *bytes, size_t len, uint8_t out[DIGEST_SHA1_SIZE])
{
    SHA_CTX ctx;

    CHECK(SHA1_Init(&ctx) && SHA1_Update(&ctx, bytes, len) && SHA1_Final(out, &ctx));
}

void digest_base64(const void *bytes, size_t len, char *out)
{
    (void)EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
}
