/* lease_stress.c - snapshots are published while requests take and give back their holds; built by lease_stress_spec.lua.
 *
 * Usage: lease_stress SEED TAKES. The real control, publisher and workers run, without listeners. Messages to the workers
 * take the place of requests: each takes a hold on the newest lease, or gives back one that it took, in random order,
 * while control changes a route and publishes. Whoever holds a lease must find its snapshot as it was, every route in it, with
 * whatever the snapshots share of it; a hold that was asked for after an
 * acknowledgement must be on that generation or a newer one; in the end only the newest snapshot is held, once by each worker.
 * Prints what happened as key=value lines. */
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "control/cli.h"
#include "control/config_set.h"
#include "control/control.h"
#include "control/publish.h"
#include "control/startup.h"
#include "script/bundle.h"
#include "worker/worker_state.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 4, SLOTS = 8, ROUTES = 40, SETTLE_TURNS = 100000 };

enum slot_state { SLOT_FREE, SLOT_POSTED, SLOT_HELD };

/* One request's hold. */
struct slot {
    struct message message;
    struct worker *worker;
    _Atomic int state;     /* whose turn it is: control's, unless it is POSTED */
    struct lease *lease;
    uint64_t floor;        /* what all workers had acknowledged when it was asked for */
    uint64_t generation;
    const struct settings *settings;
    uint64_t routes; /* sum over what it found of them */
};

static struct control control;
static struct slot slots[WORKERS][SLOTS];
static struct cli cli = {.workers = WORKERS, .workers_set = true, .scripts_dir = "scripts"};
static _Atomic uint64_t takes, outlived; /* of these, given back after a newer lease was adopted */
static uint64_t asked, told;

/* What a worker finds of all routes: whatever is freed or changed too early changes it. */
static uint64_t look_at_routes(const struct snapshot *s)
{
    uint64_t sum = s->generation;

    for (int i = 0; i < ROUTES; i++) {
        char host[32];
        int len = snprintf(host, sizeof(host), "h%d.test", i);
        const struct group *g = router_match(&s->router, slice_of(host, (size_t)len), SLICE("/a/b"), 0);

        for (unsigned k = 0; g && k < g->member_count; k++) {
            const struct member *m = g->members[k];

            CHECK(snapshot_member(s, m->state) == m && m->address_count == 1);
            sum = hash_bytes(m->host.data, m->host.len, sum + (uint64_t)g->priority + (uint64_t)i);
            sum = hash_bytes(g->path.data, g->path.len, sum);
        }
    }
    return sum;
}

static void take(struct message *m)
{
    struct slot *slot = CONTAINER_OF(m, struct slot, message);

    slot->lease = worker_lease_take(slot->worker);
    slot->generation = slot->lease->snapshot->generation;
    slot->settings = slot->lease->snapshot->settings;
    slot->routes = look_at_routes(slot->lease->snapshot);
    CHECK(slot->generation >= slot->floor);
    atomic_fetch_add(&takes, 1);
    atomic_store_explicit(&slot->state, SLOT_HELD, memory_order_release);
}

static void give_back(struct message *m)
{
    struct slot *slot = CONTAINER_OF(m, struct slot, message);
    struct snapshot *s = slot->lease->snapshot;

    CHECK(s->generation == slot->generation && s->settings == slot->settings);
    CHECK(slot->routes == look_at_routes(s));
    CHECK(s->router.hosts && slot->lease->users > 0);
    CHECK(slot->lease->retired == (slot->lease != slot->worker->lease));
    if (slot->lease->retired)
        atomic_fetch_add(&outlived, 1);
    worker_lease_release(slot->worker, slot->lease);
    atomic_store_explicit(&slot->state, SLOT_FREE, memory_order_release);
}

static void post(struct slot *slot, void (*run)(struct message *))
{
    slot->floor = publish_generation(&control);
    slot->message.run = run;
    atomic_store_explicit(&slot->state, SLOT_POSTED, memory_order_relaxed);
    mailbox_post(&slot->worker->mailbox, &slot->message);
}

/* The change that was asked for is on every worker. */
static void on_done(void *arg)
{
    (void)arg;
    CHECK(publish_generation(&control) <= publish_newest(&control)->generation);
    told++;
}

/* Adds a route as r says; one that repeats another is refused. */
static void add_route(struct config_set *set, int number, uint64_t r)
{
    char id[ROUTE_ID_SIZE], url[64], host[32];
    struct slice domain;
    struct error err;

    snprintf(id, sizeof(id), "r%d", number);
    snprintf(host, sizeof(host), "h%d.test", (int)(r / 7 % ROUTES));
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", 1000 + (int)(r / 11 % 1000));
    domain = slice_str(host);
    (void)!config_set_add_route(set, id,
                                &(struct route_fields){&domain, 1, r & 1 ? SLICE("/a") : SLICE("/"), slice_str(url),
                                                       (int64_t)(r / 17 % 3)},
                                &err);
}

/* One route goes, comes, or has another host, backend, path and priority; the others stay. */
static void change_route(uint64_t r)
{
    static uint64_t routes[ROUTES]; /* 0: not there */
    struct config_set *set = config_set_new();

    routes[r % ROUTES] = r / 13 % 3 ? r | 1u << 30 : 0;
    for (int i = 0; i < ROUTES; i++)
        if (routes[i])
            add_route(set, i + 1, routes[i]);
    model_set_static(&control.model, set);
}

static void step(uint64_t r)
{
    unsigned worker = (unsigned)(r >> 8) % WORKERS;
    struct slot *slot = &slots[worker][(r >> 16) % SLOTS];
    int state = atomic_load_explicit(&slot->state, memory_order_acquire);

    if (r % 16 == 0) {
        change_route(r >> 24);
        publish(&control, on_done, NULL);
        asked++;
    } else if (r % 16 < 4) {
        (void)ev_run(control.loop, EVRUN_NOWAIT);
    } else if (state != SLOT_POSTED) {
        post(slot, state == SLOT_FREE ? take : give_back);
    } else {
        /* The workers are behind: on few processors they get nowhere unless control steps aside. */
        (void)sched_yield();
    }
}

/* Gives back what is held. True: nothing is, and whoever asked was told. */
static bool settle(void)
{
    bool quiet = told == asked;

    for (int i = 0; i < WORKERS * SLOTS; i++) {
        struct slot *slot = &slots[i / SLOTS][i % SLOTS];
        int state = atomic_load_explicit(&slot->state, memory_order_acquire);

        if (state == SLOT_HELD)
            post(slot, give_back);
        quiet = quiet && state == SLOT_FREE;
    }
    return quiet && publish_newest(&control)->leases == WORKERS + 1;
}

static void run(uint64_t seed, uint64_t most)
{
    struct random random;
    int turns = 0;

    random_init(&random, seed);
    for (int i = 0; i < WORKERS * SLOTS; i++)
        slots[i / SLOTS][i % SLOTS].worker = control.workers[i / SLOTS];
    while (takes < most)
        step(random_next(&random));
    while (!settle()) {
        CHECK(++turns < SETTLE_TURNS);
        (void)ev_run(control.loop, EVRUN_ONCE);
    }
    printf("takes=%llu\noutlived=%llu\nasked=%llu\ntold=%llu\ngeneration=%llu\nleases=%u\n",
           (unsigned long long)takes, (unsigned long long)outlived, (unsigned long long)asked,
           (unsigned long long)told, (unsigned long long)publish_generation(&control),
           publish_newest(&control)->leases);
}

/* As script_tool.c opens a control that serves nobody. */
static bool open_control(void)
{
    struct config_set *routes = NULL;
    char *problems = NULL;
    struct error err;

    control.cli = &cli;
    control.settings = startup_settings(&cli, &routes, &problems);
    if (!control.settings)
        fprintf(stderr, "%s\n", problems);
    CHECK(control.settings);
    config_set_free(routes);
    control.settings->http_count = control.settings->https_count = 0;
    control.settings->workers = WORKERS;
    control.settings->health_checks = control.settings->scripts_watch = false;
    control.settings->rollback_failures = 0;
    control.bundle = bundle_read("scripts", &err);
    CHECK(control.bundle);
    list_init(&control.pendings);
    return control_open(&control);
}

int main(int argc, char **argv)
{
    bool ok;

    CHECK(argc == 3);
    check_own_thread(CHECK_CONTROL);
    log_set_level(LOG_NONE);
    CHECK(log_open() == 0);
    ok = open_control();
    if (ok)
        run(strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
    control_close(&control);
    settings_unref(control.settings);
    bundle_unref(control.bundle);
    log_close();
    return ok ? 0 : 1;
}
