#include "base/hash.h"

#include "base/random.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

/* Odd numbers with about half of their bits set, in no pattern: fractions of the roots of 2, 3
 * and 5. */
#define SALT_A 0x6a09e667f3bcc909ULL
#define SALT_B 0xbb67ae8584caa73bULL
#define SALT_C 0x3c6ef372fe94f82bULL

static uint64_t process_seed;

/* Before main, so that no thread can see two seeds. */
__attribute__((constructor)) static void draw_seed(void)
{
    random_secure(&process_seed, sizeof(process_seed));
}

uint64_t hash_seed(void)
{
    return process_seed;
}

/* All bits of a 128-bit product, folded. The factors are mixed in again: a factor of 0 must not
 * wipe out the other one. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return a ^ b ^ (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* 'A' to 'Z' in each of eight bytes to lower case. */
static inline uint64_t lower_each(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101ULL;
    uint64_t low = x & (0x7f * ones);
    uint64_t from_a = low + (0x80 - 'A') * ones;
    uint64_t above_z = low + (0x7f - 'Z') * ones;
    uint64_t upper = (from_a ^ above_z) & ~x & (0x80 * ones);

    return x | (upper >> 2);
}

static inline uint64_t load8(const unsigned char *p, bool nocase)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    x = le64toh(x);
    return nocase ? lower_each(x) : x;
}

static inline uint64_t load4(const unsigned char *p, bool nocase)
{
    uint32_t x;

    memcpy(&x, p, sizeof(x));
    x = le32toh(x);
    return nocase ? lower_each(x) : x;
}

static inline uint64_t load_few(const unsigned char *p, size_t len, bool nocase)
{
    uint64_t x = (uint64_t)p[0] << 16 | (uint64_t)p[len / 2] << 8 | p[len - 1];

    return nocase ? lower_each(x) : x;
}

/* Reads overlap at the end instead of padding; the length, mixed in, keeps "a" and "aa" apart. */
static inline __attribute__((always_inline)) uint64_t hash(const void *bytes, size_t len,
                                                           uint64_t seed, bool nocase)
{
    const unsigned char *p = bytes;
    uint64_t a = 0, b = 0;
    size_t left = len;

    seed = fold(seed ^ SALT_A, SALT_B);
    for (; left > 16; left -= 16, p += 16)
        seed = fold(load8(p, nocase) ^ SALT_B, load8(p + 8, nocase) ^ seed);
    if (left >= 8) {
        a = load8(p, nocase);
        b = load8(p + left - 8, nocase);
    } else if (left >= 4) {
        a = load4(p, nocase);
        b = load4(p + left - 4, nocase);
    } else if (left > 0) {
        a = load_few(p, left, nocase);
    }
    return fold(SALT_C ^ len, fold(a ^ SALT_B, b ^ seed));
}

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
    return hash(bytes, len, seed, false);
}

uint64_t hash_bytes_nocase(const void *bytes, size_t len, uint64_t seed)
{
    return hash(bytes, len, seed, true);
}

uint64_t hash_u64(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}
