#include "worker/compressor.h"

#include "base/low_water.h"
#include "guard/work_share.h"
#include "worker/worker_state.h"

#include <stdlib.h>

enum { ENCODERS_KEPT = 8 }; /* of each kind, at most */

struct compressor {
    struct worker *worker;
    struct encoder *kept[ENCODER_KINDS][ENCODERS_KEPT];
    unsigned kept_count[ENCODER_KINDS];
    struct low_water low[ENCODER_KINDS];
    unsigned busy;
    uint64_t turn_us; /* the worker's time in the turn that spent_us is about */
    uint64_t spent_us;
    struct work_share share;
    struct list queue; /* of struct later */
    ev_idle idle;      /* active while the queue is not empty, so that the loop does not sleep */
};

static void run_queue(struct compressor *c)
{
    struct list ready;

    list_init(&ready);
    while (!list_empty(&c->queue)) {
        struct list *first = c->queue.next;

        list_remove(first);
        list_push_back(&ready, first);
    }
    while (!list_empty(&ready) && compressor_has_time(c)) {
        struct later *later = CONTAINER_OF(ready.next, struct later, link);

        list_remove(&later->link);
        later->run(later);
    }
    while (!list_empty(&ready)) {
        struct list *last = ready.prev;

        list_remove(last);
        list_push_front(&c->queue, last);
    }
}

/* Runs before the other events of its turn, but those have all been run since it was queued. */
static void on_idle(struct ev_loop *loop, ev_idle *idle, int events)
{
    struct compressor *c = CONTAINER_OF(idle, struct compressor, idle);

    (void)events;
    ASSERT_WORKER(c->worker);
    run_queue(c);
    if (list_empty(&c->queue))
        ev_idle_stop(loop, idle);
}

struct compressor *compressor_of(struct worker *w)
{
    struct compressor *c = w->compressor;

    if (c)
        return c;
    c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->worker = w;
    list_init(&c->queue);
    ev_idle_init(&c->idle, on_idle);
    ev_set_priority(&c->idle, EV_MAXPRI);
    w->compressor = c;
    return c;
}

void compressor_free(struct compressor **cp)
{
    struct compressor *c = *cp;

    *cp = NULL;
    if (!c)
        return;
    CHECK(!c->busy && list_empty(&c->queue));
    ev_idle_stop(c->worker->loop, &c->idle);
    for (int kind = 0; kind < ENCODER_KINDS; kind++)
        while (c->kept_count[kind])
            encoder_free(&c->kept[kind][--c->kept_count[kind]]);
    free(c);
}

void compressor_trim(struct compressor *c)
{
    for (int kind = 0; c && kind < ENCODER_KINDS; kind++)
        for (uint32_t n = low_water_end(&c->low[kind], c->kept_count[kind]); n; n--)
            encoder_free(&c->kept[kind][--c->kept_count[kind]]);
}

static int level_of(const struct settings *s, enum encoder_kind kind)
{
    switch (kind) {
    case ENCODER_ZSTD:
        return (int)s->compress_zstd;
    case ENCODER_BROTLI:
        return (int)s->compress_brotli;
    default:
        return (int)s->compress_gzip;
    }
}

struct encoder *compressor_take(struct compressor *c, enum encoder_kind kind)
{
    const struct settings *settings = worker_settings(c->worker);
    int level = level_of(settings, kind);
    struct encoder *e = NULL;

    if (c->busy >= settings->compress_streams)
        return NULL;
    while (!e && c->kept_count[kind]) {
        e = c->kept[kind][--c->kept_count[kind]];
        if (encoder_level(e) != level) /* the settings have changed */
            encoder_free(&e);
    }
    low_water_note(&c->low[kind], c->kept_count[kind]);
    if (!e)
        e = encoder_new(kind, level);
    c->busy += e != NULL;
    return e;
}

void compressor_give(struct compressor *c, struct encoder **e)
{
    enum encoder_kind kind = encoder_kind(*e);

    CHECK(c->busy > 0);
    c->busy--;
    if (c->kept_count[kind] == ENCODERS_KEPT)
        encoder_free(e);
    else
        c->kept[kind][c->kept_count[kind]++] = *e;
    *e = NULL;
}

bool compressor_has_time(struct compressor *c)
{
    if (c->turn_us != c->worker->now_us) {
        c->turn_us = c->worker->now_us;
        c->spent_us = 0;
    }
    return c->spent_us < COMPRESSOR_TURN_US;
}

void compressor_spent(struct compressor *c, uint64_t us)
{
    c->spent_us += us;
    work_share_add(&c->share, us, c->worker->now_ms);
}

bool compressor_is_overworked(const struct compressor *c)
{
    uint64_t most = worker_settings(c->worker)->compress_cpu;

    return most < 100 && work_share_percent(&c->share, c->worker->now_ms) >= most;
}

void compressor_later(struct compressor *c, struct later *later)
{
    if (!list_empty(&later->link))
        return;
    list_push_back(&c->queue, &later->link);
    ev_idle_start(c->worker->loop, &c->idle);
}
