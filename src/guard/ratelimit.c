#include "guard/ratelimit.h"

#include "base/hash.h"
#include "base/spin.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define MOST_REQUESTS 1000000000ULL
#define LONGEST_WINDOW_MS (36525ULL * 24 * 3600 * 1000) /* 3.2 * 10^18 ns */

enum { ENTRIES = RATELIMIT_SET_SOURCES, CACHE_LINE = 64 };

/* Written under the set's lock, atomic and relaxed because ratelimit_sources reads without it. */
struct entry {
    _Atomic uint64_t key; /* 0: empty, and so are all that follow */
    _Atomic uint64_t tat; /* ns */
};

/* Two cache lines, which the processor fetches as a pair. Zeroed is empty. */
struct set {
    _Atomic uint32_t lock; /* 1: held */
    uint64_t now;          /* the newest time seen, ns; under the lock */
    struct entry entries[ENTRIES];
};

_Static_assert(sizeof(struct set) == 2 * CACHE_LINE, "a set is a pair of cache lines");

struct ratelimit {
    struct set *sets;
    uint64_t mask;                                /* number of sets - 1 */
    alignas(CACHE_LINE) _Atomic uint64_t evicted; /* away from what every take reads */
};

/* Rules in nanoseconds. */
struct pace {
    uint64_t each; /* what one request adds to what a source owes */
    uint64_t full; /* the most that a source may owe: each * requests */
};

struct ratelimit *ratelimit_new(unsigned sets_log2)
{
    struct ratelimit *rl = aligned_alloc(CACHE_LINE, sizeof(*rl));
    size_t size;
    void *sets;

    CHECK(sets_log2 <= RATELIMIT_SETS_LOG2_MAX);
    if (!rl)
        return NULL;
    size = sizeof(struct set) << sets_log2;
    /* Not from malloc: pages that were never written cost nothing, and start on a cache line. */
    sets = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sets == MAP_FAILED) {
        free(rl);
        return NULL;
    }
    *rl = (struct ratelimit){.sets = sets, .mask = (1ULL << sets_log2) - 1};
    return rl;
}

void ratelimit_free(struct ratelimit *rl)
{
    if (!rl)
        return;
    CHECK(munmap(rl->sets, sizeof(struct set) * (rl->mask + 1)) == 0);
    free(rl);
}

uint64_t ratelimit_key(uint64_t group, const void *ip, size_t ip_len)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    const unsigned char *source = ip;
    unsigned char bytes[16];
    size_t len = ip_len;
    uint64_t key;

    CHECK(ip_len == 4 || ip_len == 16);
    if (ip_len == 16 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
        source += sizeof(mapped);
        len = 4;
    } else if (ip_len == 16) {
        len = 8;
    }
    memcpy(bytes, &group, sizeof(group));
    memcpy(bytes + sizeof(group), source, len);
    key = hash_bytes(bytes, sizeof(group) + len, hash_seed());
    return key ? key : 1;
}

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void put(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The entry of key: its own, or one that is made its own, at rest. */
static struct entry *find(struct ratelimit *rl, struct set *set, uint64_t key)
{
    struct entry *oldest = set->entries;

    for (struct entry *e = set->entries; e < set->entries + ENTRIES; e++) {
        uint64_t other = get(&e->key);

        if (other == key)
            return e;
        if (get(&e->tat) < get(&oldest->tat))
            oldest = e;
        if (!other)
            break; /* has the smallest TAT of all, 0 */
    }
    if (get(&oldest->tat) > set->now)
        atomic_fetch_add_explicit(&rl->evicted, 1, memory_order_relaxed);
    put(&oldest->key, key);
    put(&oldest->tat, 0);
    return oldest;
}

static struct pace pace_of(const struct ratelimit_rules *rules)
{
    uint64_t requests = smaller(rules->requests, MOST_REQUESTS);
    uint64_t window = smaller(rules->window_ms, LONGEST_WINDOW_MS) * NS_PER_MS;
    uint64_t each;

    CHECK(requests > 0 && window > 0);
    each = larger(1, window / requests);
    return (struct pace){.each = each, .full = each * requests};
}

static uint64_t ms_up(uint64_t ns)
{
    return (ns + NS_PER_MS - 1) / NS_PER_MS;
}

void ratelimit_take(struct ratelimit *rl, uint64_t key, const struct ratelimit_rules *rules,
                    uint64_t now_us, struct ratelimit_result *out)
{
    struct pace pace = pace_of(rules);
    uint64_t room = pace.full - pace.each; /* who owes no more than this may pass */
    struct set *set = &rl->sets[key >> 32 & rl->mask];
    struct entry *e;
    uint64_t owed, cost;

    CHECK(key);
    spin_lock(&set->lock);
    /* If a late clock could pull it back, holding a TAT to its rules would give requests away. */
    set->now = larger(set->now, now_us * NS_PER_US);
    e = find(rl, set, key);
    owed = smaller(larger(get(&e->tat), set->now) - set->now, pace.full);
    cost = owed <= room ? pace.each : 0;
    put(&e->tat, set->now + owed + cost);
    spin_unlock(&set->lock);
    *out = (struct ratelimit_result){
        .allowed = cost > 0,
        .remaining = (pace.full - owed - cost) / pace.each,
        .reset_ms = ms_up(owed + cost),
        .retry_after_ms = cost > 0 ? 0 : ms_up(owed - room),
    };
}

size_t ratelimit_sources(const struct ratelimit *rl, uint64_t now_us)
{
    uint64_t now = now_us * NS_PER_US;
    size_t count = 0;

    for (uint64_t i = 0; i <= rl->mask; i++) {
        const struct entry *entries = rl->sets[i].entries;

        for (unsigned j = 0; j < ENTRIES && get(&entries[j].key); j++)
            count += get(&entries[j].tat) > now;
    }
    return count;
}

uint64_t ratelimit_evicted(const struct ratelimit *rl)
{
    return get(&rl->evicted);
}
