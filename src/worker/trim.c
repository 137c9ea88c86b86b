#include "worker/trim.h"

#include "base/heap.h"
#include "worker/compressor.h"
#include "worker/worker_state.h"

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = CONTAINER_OF(timer, struct worker, trim_timer);

    (void)loop;
    (void)events;
    ASSERT_WORKER(w);
    block_pool_trim(&w->blocks);
    (void)spares_trim(&w->spare_requests);
    (void)spares_trim(&w->spare_exchanges);
    compressor_trim(w->compressor);
    heap_trim_end();
}

void trim_init(struct worker *w)
{
    spares_init(&w->spare_requests, WORKER_REQUESTS_KEPT);
    spares_init(&w->spare_exchanges, WORKER_EXCHANGES_KEPT);
    ev_timer_init(&w->trim_timer, on_timer, 0., 0.);
}

void trim_adopt(struct worker *w)
{
    uint64_t every_ms = worker_settings(w)->spare_memory_ms / 2;

    if (every_ms == w->trim_every_ms)
        return;
    w->trim_every_ms = every_ms;
    w->trim_timer.repeat = (double)every_ms / 1000.;
    ev_timer_again(w->loop, &w->trim_timer);
}

void trim_fini(struct worker *w)
{
    ev_timer_stop(w->loop, &w->trim_timer);
    spares_fini(&w->spare_requests);
    spares_fini(&w->spare_exchanges);
}
