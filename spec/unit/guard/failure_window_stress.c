/* failure_window_stress.c - one thread counts, another sums; built with -fsanitize=thread by
 * failure_window_spec.lua.
 *
 * For one window all requests fail, for the next two none does: counts that are shown under the
 * stamp of another time show. Prints what happened as key=value lines. */
#include "base/check.h"
#include "guard/failure_window.h"

#include <pthread.h>
#include <stdio.h>

enum {
    WINDOW_MS = 100,
    SLOT_MS = WINDOW_MS / FAILURE_WINDOW_SLOTS,
    TURN_MS = 3 * WINDOW_MS,
    TURNS = 10000,
    A_MS = 3 /* requests */
};

static struct failure_window window;
static _Atomic uint64_t clock_now_ms;
static int sums, impossible, stale;

static void *count_requests(void *arg)
{
    (void)arg;
    for (uint64_t now_ms = 1; now_ms < (uint64_t)TURNS * TURN_MS; now_ms++) {
        atomic_store_explicit(&clock_now_ms, now_ms, memory_order_release);
        for (int i = 0; i < A_MS; i++)
            failure_window_add(&window, now_ms % TURN_MS < WINDOW_MS, WINDOW_MS, now_ms);
    }
    atomic_store_explicit(&clock_now_ms, UINT64_MAX, memory_order_release);
    return NULL;
}

/* The most failures that may be younger than the window: those of slots that began within it. */
static uint64_t failures_left(uint64_t now_ms)
{
    uint64_t at_ms = now_ms % TURN_MS, first_ms;

    if (at_ms < WINDOW_MS)
        return A_MS * (at_ms + 1);
    first_ms = (at_ms - WINDOW_MS) / SLOT_MS * SLOT_MS + SLOT_MS;
    return first_ms < WINDOW_MS ? A_MS * (WINDOW_MS - first_ms) : 0;
}

int main(void)
{
    pthread_t writer;
    uint64_t before = 0;

    CHECK(pthread_create(&writer, NULL, count_requests, NULL) == 0);
    while (before != UINT64_MAX) {
        uint64_t requests = 0, failures = 0, after;

        before = atomic_load_explicit(&clock_now_ms, memory_order_acquire);
        failure_window_sum(&window, WINDOW_MS, before, &requests, &failures);
        after = atomic_load_explicit(&clock_now_ms, memory_order_acquire);
        sums++;
        impossible += failures > requests;
        if (before / WINDOW_MS == after / WINDOW_MS)
            stale += failures > failures_left(before % TURN_MS < WINDOW_MS ? after : before);
    }
    CHECK(pthread_join(writer, NULL) == 0);
    printf("summed=%d\nimpossible=%d\nstale=%d\n", sums > TURNS, impossible, stale);
    return 0;
}
