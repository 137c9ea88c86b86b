#include "guard/address_count.h"

#include "base/hash.h"
#include "base/spin.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { NETWORK_BYTES = 8 };

/* The address itself: two of them are never taken for one. */
struct key {
    uint64_t bits; /* of the network, or the four bytes of IPv4 */
    uint64_t kind; /* 4 or 16 */
};

struct entry {
    struct entry *next;
    struct key key;
    uint64_t count; /* at least 1 while it is in a chain */
};

/* All of it under its lock. */
struct bucket {
    _Atomic uint32_t lock;
    struct entry *first;
};

struct address_count {
    struct bucket *buckets;
    uint64_t mask;
    _Atomic uint64_t addresses;
};

struct address_count *address_count_new(unsigned log2)
{
    struct address_count *table = malloc(sizeof(*table));
    size_t size;
    void *buckets;

    CHECK(log2 <= ADDRESS_COUNT_LOG2_MAX);
    if (!table)
        return NULL;
    size = sizeof(struct bucket) << log2;
    /* Not from malloc: pages that were never written cost nothing. */
    buckets = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buckets == MAP_FAILED) {
        free(table);
        return NULL;
    }
    *table = (struct address_count){.buckets = buckets, .mask = (1ULL << log2) - 1};
    return table;
}

void address_count_free(struct address_count *table)
{
    if (!table)
        return;
    CHECK(address_count_addresses(table) == 0);
    CHECK(munmap(table->buckets, sizeof(struct bucket) * (table->mask + 1)) == 0);
    free(table);
}

static struct key key_of(const void *ip, size_t ip_len)
{
    struct key key = {.kind = ip_len};

    CHECK(ip_len == 4 || ip_len == 16);
    memcpy(&key.bits, ip, ip_len < NETWORK_BYTES ? ip_len : NETWORK_BYTES);
    return key;
}

static struct bucket *bucket_of(struct address_count *table, const struct key *key)
{
    return &table->buckets[hash_u64(key->bits ^ key->kind ^ hash_seed()) & table->mask];
}

/* Where the entry of key hangs, or where it would. */
static struct entry **find(struct bucket *b, const struct key *key)
{
    struct entry **at = &b->first;

    while (*at && ((*at)->key.bits != key->bits || (*at)->key.kind != key->kind))
        at = &(*at)->next;
    return at;
}

enum taken { TAKEN_YES, TAKEN_NO, TAKEN_NEW };

/* TAKEN_NEW: the first of its address, which wants an entry; given one, takes it over. */
static enum taken take_in(struct address_count *table, struct bucket *b, const struct key *key, uint64_t most,
                          struct entry **spare)
{
    struct entry **at = find(b, key);

    if ((*at ? (*at)->count : 0) >= most)
        return TAKEN_NO;
    if (*at) {
        (*at)->count++;
        return TAKEN_YES;
    }
    if (!*spare)
        return TAKEN_NEW;
    **spare = (struct entry){NULL, *key, 1};
    *at = *spare;
    *spare = NULL;
    atomic_fetch_add_explicit(&table->addresses, 1, memory_order_relaxed); /* for people */
    return TAKEN_YES;
}

bool address_count_take(struct address_count *table, const void *ip, size_t ip_len, uint64_t most)
{
    struct key key = key_of(ip, ip_len);
    struct bucket *b = bucket_of(table, &key);
    struct entry *spare = NULL;
    enum taken taken;

    for (;;) {
        spin_lock(&b->lock);
        taken = take_in(table, b, &key, most, &spare);
        spin_unlock(&b->lock);
        if (taken != TAKEN_NEW)
            break;
        spare = malloc(sizeof(*spare));
        if (!spare)
            return false;
    }
    free(spare); /* somebody else was faster */
    return taken == TAKEN_YES;
}

void address_count_give(struct address_count *table, const void *ip, size_t ip_len)
{
    struct key key = key_of(ip, ip_len);
    struct bucket *b = bucket_of(table, &key);
    struct entry **at, *last = NULL;

    spin_lock(&b->lock);
    at = find(b, &key);
    CHECK(*at);
    if (--(*at)->count == 0) {
        last = *at;
        *at = last->next;
    }
    spin_unlock(&b->lock);
    if (!last)
        return;
    atomic_fetch_sub_explicit(&table->addresses, 1, memory_order_relaxed);
    free(last);
}

uint64_t address_count_of(struct address_count *table, const void *ip, size_t ip_len)
{
    struct key key = key_of(ip, ip_len);
    struct bucket *b = bucket_of(table, &key);
    struct entry *e;
    uint64_t count;

    spin_lock(&b->lock);
    e = *find(b, &key);
    count = e ? e->count : 0;
    spin_unlock(&b->lock);
    return count;
}

uint64_t address_count_addresses(const struct address_count *table)
{
    return atomic_load_explicit(&table->addresses, memory_order_relaxed);
}
