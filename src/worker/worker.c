#include "worker/worker_state.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/need.h"
#include "worker/arrival.h"
#include "worker/bulk.h"
#include "worker/client.h"
#include "worker/compressor.h"
#include "worker/client_session.h"
#include "worker/deadline_timer.h"
#include "worker/handshake.h"
#include "worker/listener.h"
#include "script/hook.h"
#include "worker/policy.h"
#include "worker/pool.h"
#include "worker/request.h"
#include "worker/room.h"
#include "worker/trace.h"
#include "worker/trim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void worker_retire(struct worker *w, struct retired *memory)
{
    memory->next = w->retired;
    w->retired = memory;
}

void worker_count_close(struct worker *w, enum close_reason reason)
{
    CHECK(reason != CLOSE_NONE);
    COUNTER_ADD(w->closed[reason], 1);
    crash_note(&w->trail, w->now_ms, close_reason_text(reason), reason);
}

static void update_time(struct worker *w)
{
    w->now_us = clock_us();
    w->now_ms = w->now_us / 1000;
}

static void free_retired(struct worker *w)
{
    while (w->retired) {
        struct retired *memory = w->retired;

        w->retired = memory->next;
        free(memory);
    }
}

static void on_check(struct ev_loop *loop, ev_check *check, int events)
{
    (void)loop;
    (void)events;
    update_time(CONTAINER_OF(check, struct worker, check));
}

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
    struct worker *w = CONTAINER_OF(prepare, struct worker, prepare);

    (void)loop;
    (void)events;
    bulk_end_turn(w);
    if (UNLIKELY(!list_empty(&w->due_handshakes)))
        handshakes_run(w);
    w->served = false;
    free_retired(w);
    atomic_store_explicit(&w->memory, w->blocks.taken_bytes, memory_order_relaxed);
}

/* Behind whatever a turn's end has called: nothing sets a deadline any more before the loop waits. */
static void on_wait(struct ev_loop *loop, ev_prepare *wait, int events)
{
    (void)loop;
    (void)events;
    deadline_timer_check(CONTAINER_OF(wait, struct worker, wait));
}

/* Every lease is returned once: when it is retired and its last request has ended. */
static void return_if_unused(struct worker *w, struct lease *lease)
{
    if (!lease->retired || lease->users)
        return;
    mailbox_post(w->shared->mailbox, &lease->returned);
}

struct lease *worker_lease_take(struct worker *w)
{
    w->lease->users++;
    return w->lease;
}

void worker_lease_release(struct worker *w, struct lease *lease)
{
    CHECK(lease->users > 0);
    lease->users--;
    return_if_unused(w, lease);
}

/* Round-robin positions start at random, so that workers do not all begin with the same member; for want of memory
 * groups stay without one, and every turn of theirs is the first. */
static void make_turns(struct worker *w, unsigned groups)
{
    unsigned count = groups > 2 * w->turn_count ? groups : 2 * w->turn_count;
    uint32_t *turns;

    if (groups <= w->turn_count)
        return;
    turns = realloc(w->turns, count * sizeof(*turns));
    if (!turns)
        return;
    for (unsigned i = w->turn_count; i < count; i++)
        turns[i] = (uint32_t)random_next(&w->random);
    w->turns = turns;
    w->turn_count = count;
}

static void take_limits(struct worker *w)
{
    const struct settings *s = worker_settings(w);

    w->limits = (struct http_limits){
        .head_size = (uint32_t)s->head_size,
        .field_count = (uint32_t)s->header_count,
        .target_length = (uint32_t)s->target_length,
    };
}

static void adopt(struct worker *w, struct lease *lease)
{
    make_turns(w, lease->snapshot->group_indices);
    w->lease = lease;
    take_limits(w);
    trim_adopt(w);
}

static void run_adopt(struct message *m)
{
    struct lease *lease = CONTAINER_OF(m, struct lease, adopt);
    struct worker *w = lease->worker;
    struct lease *before = w->lease;

    ASSERT_WORKER(w);
    adopt(w, lease);
    crash_note(&w->trail, w->now_ms, "adopted configuration", lease->snapshot->generation);
    mailbox_post(w->shared->mailbox, &lease->adopted);
    tunnel_sets_adopt(w);
    before->retired = true;
    return_if_unused(w, before);
}

void worker_adopt(struct worker *w, struct lease *lease)
{
    ASSERT_CONTROL();
    lease->worker = w;
    lease->adopt.run = run_adopt;
    mailbox_post(&w->mailbox, &lease->adopt);
}

static void end_if_done(struct worker *w)
{
    if (!w->stopping || !list_empty(&w->idle_clients) || !list_empty(&w->head_clients) ||
        !list_empty(&w->busy_clients) || !list_empty(&w->arrivals) || !list_empty(&w->sessions) || !list_empty(&w->idle_sessions))
        return;
    ev_break(w->loop, EVBREAK_ALL);
}

void worker_client_closed(struct worker *w)
{
    COUNTER_ADD(w->clients, (uint64_t)-1);
    room_give_client(w);
    if (UNLIKELY(w->accepting_paused))
        listeners_resume(w);
    end_if_done(w);
}

static void close_clients(struct list *clients, enum close_reason reason)
{
    struct list *node, *next;

    LIST_EACH (node, next, clients)
        client_close(CONTAINER_OF(node, struct client, link), reason);
}

/* The deadline of a stop: what is still in progress is cut. */
static void on_stop_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = CONTAINER_OF(timer, struct worker, stop_timer);

    (void)loop;
    (void)events;
    close_clients(&w->busy_clients, CLOSE_SHUTDOWN);
    close_clients(&w->arrivals, CLOSE_SHUTDOWN);
    close_clients(&w->head_clients, CLOSE_SHUTDOWN);
    close_clients(&w->idle_clients, CLOSE_SHUTDOWN);
    close_clients(&w->sessions, CLOSE_SHUTDOWN);
    close_clients(&w->idle_sessions, CLOSE_SHUTDOWN);
    end_if_done(w);
}

static void arm_stop_timer(struct worker *w, uint64_t deadline_ms)
{
    double delay_ms = deadline_ms > w->now_ms ? (double)(deadline_ms - w->now_ms) : 0.;

    ev_timer_stop(w->loop, &w->stop_timer);
    ev_timer_set(&w->stop_timer, delay_ms / 1000., 0.);
    ev_timer_start(w->loop, &w->stop_timer);
}

/* An idle client whose next request has already arrived is served once more; streams in flight end. */
static void stop_clients(struct worker *w)
{
    struct list *node, *next;

    LIST_EACH (node, next, &w->idle_clients)
        client_stop(CONTAINER_OF(node, struct client, link));
    LIST_EACH (node, next, &w->sessions)
        client_session_stop(CONTAINER_OF(node, struct client, link));
    LIST_EACH (node, next, &w->idle_sessions)
        client_session_stop(CONTAINER_OF(node, struct client, link));
}

/* One order to stop; a second one brings the deadline forward. */
struct stop_order {
    struct message message;
    struct worker *worker;
    uint64_t deadline_ms;
};

static void run_stop_order(struct message *m)
{
    struct stop_order *order = CONTAINER_OF(m, struct stop_order, message);
    struct worker *w = order->worker;

    ASSERT_WORKER(w);
    crash_note(&w->trail, w->now_ms, "told to stop; connections", w->clients);
    arm_stop_timer(w, order->deadline_ms);
    tunnel_sets_stop(w, order->deadline_ms);
    free(order);
    if (!w->stopping) {
        for (unsigned i = 0; i < w->listener_count; i++)
            listener_close(&w->listeners[i]);
        w->stopping = true;
        handshakes_hurry(w);
        stop_clients(w);
        pool_close_idle(w);
    }
    end_if_done(w);
}

void worker_stop(struct worker *w, uint64_t deadline_ms)
{
    struct stop_order *order = need(sizeof(*order));

    ASSERT_CONTROL();
    *order = (struct stop_order){{.run = run_stop_order}, w, deadline_ms};
    mailbox_post(&w->mailbox, &order->message);
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;
    char name[CRASH_NAME];

    check_own_thread(w);
    snprintf(name, sizeof(name), "worker %u", w->id);
    crash_attach(&w->trail, name);
    log_attach();
    update_time(w);
    retry_budget_init(&w->retry_budget, w->now_ms);
    for (unsigned i = 0; i < w->listener_count; i++)
        listener_open(&w->listeners[i], w, w->listeners[i].fd);
    ev_run(w->loop, 0);
    pool_close_idle(w);
    free_retired(w);
    crash_detach(&w->trail);
    mailbox_post(w->shared->mailbox, w->stopped);
    return NULL;
}

static void init_loop(struct worker *w)
{
    mailbox_init(&w->mailbox, w->loop);
    ev_check_init(&w->check, on_check);
    ev_set_priority(&w->check, EV_MAXPRI);
    ev_check_start(w->loop, &w->check);
    ev_prepare_init(&w->prepare, on_prepare);
    ev_prepare_start(w->loop, &w->prepare);
    ev_prepare_init(&w->wait, on_wait);
    ev_set_priority(&w->wait, EV_MINPRI);
    ev_prepare_start(w->loop, &w->wait);
    fifo_init(&w->fifo);
    ev_timer_init(&w->stop_timer, on_stop_timer, 0., 0.);
    deadline_timer_init(w);
}

struct worker *worker_new(unsigned id, struct lease *first, const struct worker_shared *shared,
                          struct message *stopped, const int *listeners, unsigned plain, unsigned listener_count)
{
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    struct worker *w;
    const struct settings *settings = first->snapshot->settings;

    ASSERT_CONTROL();
    if (!loop || !mailbox_loop_wakes(loop)) {
        if (loop)
            ev_loop_destroy(loop);
        return NULL;
    }
    w = need_zeroed(1, sizeof(*w));
    w->loop = loop;
    w->listeners = need_zeroed(listener_count ? listener_count : 1, sizeof(*w->listeners));
    w->id = id;
    w->trail.describe = trace_describe;
    w->shared = shared;
    w->stopped = stopped;
    w->listener_count = listener_count;
    for (unsigned i = 0; i < listener_count; i++) {
        w->listeners[i].fd = listeners[i];
        w->listeners[i].secure = i >= plain;
    }
    list_init(&w->idle_clients);
    list_init(&w->head_clients);
    list_init(&w->busy_clients);
    arrivals_init(w);
    tunnel_sets_init(w);
    handshakes_init(w);
    list_init(&w->sessions);
    list_init(&w->idle_sessions);
    w->pools = map_new();
    random_init(&w->random, hash_seed() + id);
    block_pool_init(&w->blocks, (uint32_t)settings->buffer_size, WORKER_LARGE_BLOCK, WORKER_WIDE_BLOCK,
                    WORKER_KEEP_BYTES);
    init_loop(w);
    first->worker = w;
    bulk_init(w);
    trim_init(w);
    adopt(w, first);
    return w;
}

int worker_start(struct worker *w)
{
    int error = pthread_create(&w->thread, NULL, thread_main, w);

    w->started = error == 0;
    return -error;
}

void worker_join(struct worker *w)
{
    ASSERT_CONTROL();
    if (w->started)
        pthread_join(w->thread, NULL);
    w->started = false;
}

void worker_free(struct worker *w)
{
    worker_join(w);
    for (unsigned i = 0; i < w->listener_count; i++)
        if (w->listeners[i].fd >= 0)
            close(w->listeners[i].fd);
    check_own_thread(w); /* what is still posted runs here, in the ended thread's place */
    mailbox_fini(&w->mailbox);
    check_own_thread(CHECK_CONTROL);
    CHECK(w->lease->users == 0);
    w->lease->retired = true;
    return_if_unused(w, w->lease);
    trim_fini(w);
    hook_vm_free(w->hooks);
    compressor_free(&w->compressor);
    block_pool_fini(&w->blocks);
    fifo_fini(&w->fifo);
    CHECK(map_count(w->pools) == 0);
    map_free(w->pools);
    deadline_timer_fini(w);
    ev_check_stop(w->loop, &w->check);
    ev_prepare_stop(w->loop, &w->prepare);
    ev_prepare_stop(w->loop, &w->wait);
    ev_loop_destroy(w->loop);
    free(w->turns);
    free(w->listeners);
    free(w);
}

static uint64_t read_count(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

void worker_count(const struct worker *w, struct worker_counts *sum)
{
    sum->clients += read_count(&w->clients);
    sum->secure_clients += read_count(&w->secure_clients);
    sum->accepted += read_count(&w->accepted);
    sum->accept_pauses += read_count(&w->accept_pauses);
    sum->requests += read_count(&w->requests);
    sum->handshakes += read_count(&w->handshakes_done);
    sum->resumed += read_count(&w->handshakes_resumed);
    sum->handshakes_failed += read_count(&w->handshakes_failed);
    sum->sessions += read_count(&w->sessions_started);
    sum->sessions_open += read_count(&w->sessions_open);
    sum->streams += read_count(&w->streams);
    sum->memory += read_count(&w->memory);
    sum->bodies_waited += read_count(&w->bodies_waited);
    for (unsigned i = 0; i < CLOSE_REASON_COUNT; i++)
        sum->closed[i] += read_count(&w->closed[i]);
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        sum->verdicts[i] += read_count(&w->verdicts[i]);
}
