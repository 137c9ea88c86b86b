#include "guard/guess_delay.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/need.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 8, MOST_WRONG = 16 };

struct guesser {
    uint8_t key[KEY_SIZE]; /* IPv4 address, or the network of an IPv6 one */
    uint8_t size;          /* bytes of the address: 4, 16; 0: the entry is empty */
    uint8_t wrong;         /* at last_ms */
    uint64_t last_ms;
};

struct guesses {
    struct guesser sets[GUESS_SETS][GUESS_SET_SIZE];
};

struct guesses *guesses_new(void)
{
    return need_zeroed(1, sizeof(struct guesses));
}

void guesses_free(struct guesses *g)
{
    free(g);
}

static struct guesser make_key(const uint8_t *ip, size_t size)
{
    struct guesser key = {.size = (uint8_t)size};

    CHECK(size == 4 || size == 16);
    memcpy(key.key, ip, size < KEY_SIZE ? size : KEY_SIZE);
    return key;
}

static unsigned set_of(const struct guesser *key)
{
    return (unsigned)(hash_bytes(key->key, KEY_SIZE, hash_seed() + key->size) % GUESS_SETS);
}

static const struct guesser *find(const struct guesses *g, const struct guesser *key)
{
    const struct guesser *set = g->sets[set_of(key)];

    for (unsigned i = 0; i < GUESS_SET_SIZE; i++) {
        if (set[i].size == key->size && memcmp(set[i].key, key->key, KEY_SIZE) == 0)
            return &set[i];
    }
    return NULL;
}

/* Wrong guesses that are not forgiven yet. */
static unsigned wrong_now(const struct guesser *one, uint64_t now_ms)
{
    uint64_t forgiven = now_ms > one->last_ms ? (now_ms - one->last_ms) / GUESS_FORGIVE_MS : 0;

    return forgiven >= one->wrong ? 0 : one->wrong - (unsigned)forgiven;
}

/* An empty entry of the set, else the one that is the oldest. */
static struct guesser *place_for(struct guesses *g, const struct guesser *key)
{
    struct guesser *set = g->sets[set_of(key)], *oldest = set;

    for (unsigned i = 0; i < GUESS_SET_SIZE; i++) {
        if (!set[i].size)
            return &set[i];
        if (set[i].last_ms < oldest->last_ms)
            oldest = &set[i];
    }
    return oldest;
}

void guesses_add(struct guesses *g, const uint8_t *ip, size_t size, uint64_t now_ms)
{
    struct guesser key = make_key(ip, size);
    struct guesser *one = (struct guesser *)find(g, &key);
    unsigned wrong = one ? wrong_now(one, now_ms) : 0;

    if (!one) {
        one = place_for(g, &key);
        *one = key;
    }
    one->wrong = (uint8_t)(wrong < MOST_WRONG ? wrong + 1 : wrong);
    one->last_ms = now_ms;
}

uint64_t guesses_delay_ms(const struct guesses *g, const uint8_t *ip, size_t size, uint64_t now_ms)
{
    struct guesser key = make_key(ip, size);
    const struct guesser *one = find(g, &key);
    unsigned wrong = one ? wrong_now(one, now_ms) : 0;
    uint64_t delay_ms;

    if (!wrong)
        return 0;
    delay_ms = (uint64_t)GUESS_FIRST_MS << (wrong - 1);
    return delay_ms < GUESS_MOST_MS ? delay_ms : GUESS_MOST_MS;
}
