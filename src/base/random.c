#include "base/random.h"

#include "base/check.h"
#include "base/hash.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

void random_secure(void *out, size_t len)
{
    char *p = out;

    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        CHECK(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

void random_init(struct random *r, uint64_t seed)
{
    /* hash_u64 is a bijection and the four inputs differ, so the state is never all zero. */
    for (int i = 0; i < 4; i++)
        r->s[i] = hash_u64(seed += 0x9e3779b97f4a7c15ULL);
}

static inline uint64_t rotate_left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

uint64_t random_next(struct random *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}
