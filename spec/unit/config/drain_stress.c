/* drain_stress.c - a drain as many threads see it, each with a clock of its own that jumps; built with -fsanitize=thread by
 * drain_stress_spec.lua.
 *
 * Usage: drain_stress SEED. Draws are made as worker/pick.c makes them. Two parts: a drain that stands, while control changes all
 * else about the route, whose share of turned requests is counted for each tenth of it; and drains that come and go, of
 * which nobody may see a start with the length of another. Prints key=value lines. */
#include "base/check.h"
#include "base/random.h"
#include "config/member_state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, THREADS = WORKERS + 1, REQUESTS = 200000, TENTHS = 10, CHANGES = 20000 };

#define START UINT64_C(1000000)
#define LENGTH UINT64_C(60000)

static struct route_state *state;
static struct member member;
static uint64_t seed;
static _Atomic int workers_done;
static _Atomic uint64_t early_turned, late_passed, missed, torn, seen;
static _Atomic uint64_t asked[TENTHS], turned[TENTHS], elapsed_sum[TENTHS];

/* Mostly a little later than before, at times anywhere around the drain. */
static uint64_t jump(struct random *random, uint64_t now_ms)
{
    uint64_t r = random_next(random);

    if (r % 8 == 0)
        return START - LENGTH / 4 + (r >> 8) % (LENGTH + LENGTH / 2);
    return r % 8 == 1 ? now_ms - (r >> 8) % 50 : now_ms + (r >> 8) % 3;
}

/* One request at the member; was it turned away? */
static bool request(uint32_t *draws, uint64_t now_ms)
{
    struct member_state now;

    member_state_read(&member, now_ms, &now);
    if (!now.draining) {
        atomic_fetch_add(&missed, 1);
        return false;
    }
    *draws += 0x9E3779B9u;
    return *draws >> 16 >= now.passes;
}

static void *serve(void *arg)
{
    struct random random;
    uint32_t draws;
    uint64_t now_ms = START;

    random_init(&random, seed + (uint64_t)(long)arg);
    draws = (uint32_t)random_next(&random);
    for (int i = 0; i < REQUESTS; i++) {
        now_ms = jump(&random, now_ms);
        bool away = request(&draws, now_ms);

        if (now_ms <= START) {
            atomic_fetch_add(&early_turned, away);
        } else if (now_ms >= START + LENGTH) {
            atomic_fetch_add(&late_passed, !away);
        } else {
            uint64_t tenth = (now_ms - START) * TENTHS / LENGTH;

            atomic_fetch_add(&asked[tenth], 1);
            atomic_fetch_add(&turned[tenth], away);
            atomic_fetch_add(&elapsed_sum[tenth], now_ms - START);
        }
    }
    atomic_fetch_add(&workers_done, 1);
    return NULL;
}

/* All else that control says of a route, in random order. */
static void *steer(void *arg)
{
    struct random random;

    check_own_thread(CHECK_CONTROL);
    random_init(&random, seed + (uint64_t)(long)arg);
    while (atomic_load(&workers_done) < WORKERS) {
        uint64_t r = random_next(&random);

        if (r & 1)
            route_state_set_session(state, (enum route_session)((r >> 8) % 3));
        else
            route_state_set_health(state, (enum route_health)((r >> 8) % 5), (uint32_t)(r >> 16) % EFFECTIVE_ALL);
    }
    return NULL;
}

/* A length tells its start. */
static uint64_t length_of(uint64_t start_ms)
{
    return start_ms * 7 + 13;
}

static void *watch(void *arg)
{
    (void)arg;
    while (!atomic_load(&workers_done)) {
        struct route_drain drain = route_state_drain(state);

        if (!drain.start_ms)
            continue;
        atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
        if (drain.length_ms != length_of(drain.start_ms))
            atomic_fetch_add(&torn, 1);
    }
    return NULL;
}

static void *come_and_go(void *arg)
{
    struct random random;

    check_own_thread(CHECK_CONTROL);
    random_init(&random, seed + (uint64_t)(long)arg);
    /* As long as it takes for the others to have seen some. */
    for (uint64_t i = 1; i < CHANGES || atomic_load(&seen) < CHANGES; i++) {
        route_state_set_drain(state, i, length_of(i));
        if (random_next(&random) % 4 == 0)
            route_state_set_drain(state, 0, 0);
    }
    atomic_store(&workers_done, 1);
    return NULL;
}

static void run(void *(*worker)(void *), void *(*other)(void *))
{
    pthread_t threads[THREADS];

    atomic_store(&workers_done, 0);
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, i < WORKERS ? worker : other, (void *)(i + 1)) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    seed = strtoull(argv[1], NULL, 10);
    check_own_thread(CHECK_CONTROL);
    state = route_state_new("s1", "r1", "service", "instance", WORKERS);
    member.state = state;
    route_state_set_drain(state, START, LENGTH);
    run(serve, steer);
    for (int i = 0; i < TENTHS; i++)
        printf("asked_%d=%llu\nturned_%d=%llu\nelapsed_%d=%llu\n", i, (unsigned long long)asked[i], i,
               (unsigned long long)turned[i], i, (unsigned long long)elapsed_sum[i]);
    printf("early_turned=%llu\nlate_passed=%llu\nmissed=%llu\n", (unsigned long long)early_turned,
           (unsigned long long)late_passed, (unsigned long long)missed);
    route_state_set_drain(state, 0, 0);
    run(watch, come_and_go);
    printf("torn=%llu\nseen=%llu\n", (unsigned long long)torn, (unsigned long long)seen);
    route_state_set_drain(state, 0, 0);
    printf("left=%d\n", route_state_drain(state).start_ms != 0);
    route_state_unref(state);
    return 0;
}
