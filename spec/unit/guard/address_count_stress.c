/* address_count_stress.c - four threads take and give back connections of the same few addresses, and of one quota; built
 * with -fsanitize=thread by address_count_spec.lua. Prints what happened as key=value lines. */
#include "base/check.h"
#include "base/random.h"
#include "guard/address_count.h"
#include "guard/quota.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 4, ADDRESSES = 5, MOST = 3, HELD = 8, ROUNDS = 60000 };

static struct address_count *table;
static struct quota quota;
static atomic_int in_use[ADDRESSES], quota_in_use; /* counted apart, by who got a place */
static atomic_uint over, refused, taken, quota_over, quota_refused;

static void give(int address)
{
    uint8_t ip[4] = {10, 0, 0, (uint8_t)address};

    atomic_fetch_sub(&in_use[address], 1);
    address_count_give(table, ip, sizeof(ip));
}

static bool take(int address)
{
    uint8_t ip[4] = {10, 0, 0, (uint8_t)address};

    if (!address_count_take(table, ip, sizeof(ip), MOST)) {
        atomic_fetch_add(&refused, 1);
        return false;
    }
    atomic_fetch_add(&taken, 1);
    if (atomic_fetch_add(&in_use[address], 1) >= MOST)
        atomic_fetch_add(&over, 1);
    return true;
}

static void use_quota(struct random *random)
{
    if (!quota_take(&quota, 1)) {
        atomic_fetch_add(&quota_refused, 1);
        return;
    }
    if (atomic_fetch_add(&quota_in_use, 1) >= 1)
        atomic_fetch_add(&quota_over, 1);
    if (random_next(random) % 4 == 0)
        sched_yield();
    atomic_fetch_sub(&quota_in_use, 1);
    quota_give(&quota);
}

static void *run(void *arg)
{
    struct random random;
    int held[HELD], count = 0;

    random_init(&random, (uint64_t)(long)arg);
    for (int i = 0; i < ROUNDS; i++) {
        int address = (int)(random_next(&random) % ADDRESSES);

        use_quota(&random);
        if (count == HELD || (count && random_next(&random) % 2))
            give(held[--count]);
        else if (take(address))
            held[count++] = address;
    }
    while (count)
        give(held[--count]);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    table = address_count_new(1); /* two buckets: chains and one lock for several */
    CHECK(table);
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, run, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    printf("over=%u\nrefused=%u\ntaken=%u\n", atomic_load(&over), atomic_load(&refused), atomic_load(&taken));
    printf("left=%llu\n", (unsigned long long)address_count_addresses(table));
    printf("quota_over=%u\nquota_refused=%u\n", atomic_load(&quota_over), atomic_load(&quota_refused));
    printf("quota_left=%llu\n", (unsigned long long)quota_used(&quota));
    address_count_free(table);
    return 0;
}
