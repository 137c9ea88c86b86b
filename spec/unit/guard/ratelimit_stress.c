/* ratelimit_stress.c - four threads take from one table; built with -fsanitize=thread by
 * ratelimit_threads_spec.lua. Prints what happened as key=value lines. */
#include "base/check.h"
#include "base/random.h"
#include "guard/ratelimit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 4, SOURCES = 3, REQUESTS = 5000, MORE = 4000, TAKES = 60000, STRANGERS = 1000 };

static const struct ratelimit_rules rules = {REQUESTS, REQUESTS}; /* one each millisecond */
static const uint64_t start_us = 5000000;
static struct ratelimit *rl;
static atomic_uint allowed;
static atomic_bool done;

static void take(uint64_t key, uint64_t now_us)
{
    struct ratelimit_result result;

    ratelimit_take(rl, key, &rules, now_us, &result);
    if (result.allowed)
        atomic_fetch_add_explicit(&allowed, 1, memory_order_relaxed);
}

/* All threads at the same few sources, in a time that stands still. */
static void *take_at_once(void *arg)
{
    for (int i = 0; i < TAKES; i++)
        take(1 + i % SOURCES, start_us);
    return arg;
}

/* The same, each thread with a clock of its own, which goes at random steps to the same end. */
static void *take_in_time(void *arg)
{
    struct random random;
    uint64_t now_us = start_us, end_us = start_us + MORE * 1000;

    random_init(&random, (uint64_t)(long)arg);
    for (int i = 0; i < TAKES; i++) {
        take(1 + i % SOURCES, now_us);
        now_us += random_next(&random) % (2 * MORE * 1000 / TAKES);
        if (now_us > end_us)
            now_us = end_us;
    }
    for (int i = 0; i < SOURCES * (MORE + 1); i++)
        take(1 + i % SOURCES, end_us);
    return NULL;
}

/* More sources than there is room for. */
static void *take_as_strangers(void *arg)
{
    for (int i = 0; i < TAKES; i++)
        take(1 + i % STRANGERS, start_us + 2 * MORE * 1000);
    return arg;
}

/* Reads while the others take. */
static void *watch(void *arg)
{
    while (!atomic_load(&done)) {
        CHECK(ratelimit_sources(rl, start_us) <= 7);
        (void)ratelimit_evicted(rl);
    }
    return arg;
}

/* Runs body in all threads; how many takes were allowed. */
static unsigned run(void *(*body)(void *))
{
    pthread_t threads[THREADS], watcher;

    atomic_store(&allowed, 0);
    atomic_store(&done, false);
    CHECK(pthread_create(&watcher, NULL, watch, NULL) == 0);
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, body, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    atomic_store(&done, true);
    CHECK(pthread_join(watcher, NULL) == 0);
    return atomic_load(&allowed);
}

int main(void)
{
    rl = ratelimit_new(0);
    CHECK(rl);
    printf("at_once=%u\n", run(take_at_once));
    printf("in_time=%u\n", run(take_in_time));
    printf("early=%d\n", (int)ratelimit_evicted(rl));
    printf("strangers=%u\n", run(take_as_strangers));
    printf("evicted=%llu\n", (unsigned long long)ratelimit_evicted(rl));
    printf("left=%zu\n", ratelimit_sources(rl, start_us + 2 * MORE * 1000));
    ratelimit_free(rl);
    return 0;
}
