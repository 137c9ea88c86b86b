#include "tls/tickets.h"

#include "base/need.h"
#include "base/random.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 16, KEY_SIZE = 32, IV_SIZE = 16 };

struct ticket_key {
    unsigned char name[NAME_SIZE]; /* by which a ticket says what made it */
    unsigned char cipher[KEY_SIZE], mac[KEY_SIZE];
};

struct tickets {
    unsigned refs; /* control only */
    unsigned count;
    struct ticket_key key[TICKET_KEYS]; /* newest first */
};

struct tickets *tickets_rotate(const struct tickets *before)
{
    struct tickets *t = need_zeroed(1, sizeof(*t));
    unsigned kept = before ? before->count : 0;

    if (kept > TICKET_KEYS - 1)
        kept = TICKET_KEYS - 1;
    t->refs = 1;
    random_secure(&t->key[0], sizeof(t->key[0]));
    if (kept)
        memcpy(&t->key[1], before->key, kept * sizeof(t->key[0]));
    t->count = kept + 1;
    return t;
}

struct tickets *tickets_ref(struct tickets *t)
{
    CHECK(t->refs > 0);
    t->refs++;
    return t;
}

void tickets_unref(struct tickets *t)
{
    if (!t)
        return;
    CHECK(t->refs > 0);
    if (--t->refs > 0)
        return;
    OPENSSL_cleanse(t, sizeof(*t));
    free(t);
}

/* Encrypt-then-MAC as OpenSSL does it: AES-256-CBC and HMAC-SHA-256 (RFC 5077 4). */
static bool set_up(const struct ticket_key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                   int making)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac, KEY_SIZE),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"sha256", 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, making) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

int tickets_use(const struct tickets *t, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                EVP_MAC_CTX *mac, int making)
{
    if (making) {
        memcpy(name, t->key[0].name, NAME_SIZE);
        if (RAND_bytes(iv, IV_SIZE) != 1)
            return -1;
        return set_up(&t->key[0], iv, cipher, mac, 1) ? 1 : -1;
    }
    for (unsigned i = 0; i < t->count; i++) {
        if (memcmp(name, t->key[i].name, NAME_SIZE) != 0)
            continue;
        if (!set_up(&t->key[i], iv, cipher, mac, 0))
            return -1;
        return i ? 2 : 1;
    }
    return 0;
}
