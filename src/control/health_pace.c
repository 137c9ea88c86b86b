#include "control/health_pace.h"

#include "base/check.h"
#include "base/need.h"

#include <stdlib.h>

static void start_timer(struct health_pace *pace, double seconds)
{
    ev_timer_set(&pace->timer, seconds, 0);
    ev_timer_start(pace->loop, &pace->timer);
}

static void on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct health_pace *pace = w->data;
    unsigned ran = 0;

    (void)loop;
    (void)revents;
    while (ran < HEALTH_PACE_PER_TURN && !list_empty(&pace->waiting)) {
        struct health_turn *turn = CONTAINER_OF(pace->waiting.next, struct health_turn, link);

        list_remove(&turn->link);
        turn->run(turn);
        ran++;
    }
    if (ran > 0) /* who comes within the pause does not start a turn of their own */
        start_timer(pace, HEALTH_PACE_TURN_MS / 1e3);
}

struct health_pace *health_pace_new(struct ev_loop *loop)
{
    struct health_pace *pace = need_zeroed(1, sizeof(*pace));
    uint64_t seed;

    pace->loop = loop;
    list_init(&pace->waiting);
    ev_init(&pace->timer, on_turn);
    pace->timer.data = pace;
    random_secure(&seed, sizeof(seed));
    random_init(&pace->random, seed);
    return pace;
}

void health_pace_free(struct health_pace *pace)
{
    if (!pace)
        return;
    CHECK(list_empty(&pace->waiting));
    ev_timer_stop(pace->loop, &pace->timer);
    free(pace);
}

void health_pace_wait(struct health_pace *pace, struct health_turn *turn)
{
    ASSERT_CONTROL();
    list_push_back(&pace->waiting, &turn->link);
    if (!ev_is_active(&pace->timer))
        start_timer(pace, 0);
}

void health_pace_leave(struct health_turn *turn)
{
    list_remove(&turn->link);
}

uint64_t health_pace_jitter(struct health_pace *pace, uint64_t interval_ms)
{
    uint64_t tenth = interval_ms / 10;

    return interval_ms - tenth + random_next(&pace->random) % (2 * tenth + 1);
}
