/* circuit_stress.c - many threads at one circuit; built with -fsanitize=thread by
 * circuit_stress_spec.lua.
 *
 * Three parts, each with a circuit of its own: everything at once, probes that are only released,
 * and failures that are only counted. Prints what happened as key=value lines. */
#include "base/check.h"
#include "base/random.h"
#include "guard/circuit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    WORKERS = 4,
    THREADS = WORKERS + 1, /* and one that steers */
    STEPS = 60000,         /* of a worker */
    TICKETS = 8,           /* held by a worker at a time */
    PROBES = 3,
    CHANGES_MAX = THREADS * 2 * STEPS
};

static const struct circuit_rules rules = {
    .threshold = 3, .half_open_requests = PROBES, .timeout_ms = 4};

static struct circuit circuit;
static _Atomic uint64_t time_ms; /* goes on with every step */

/* Probes in flight by generation, as the requests see it: counted up after admission and down
 * before a ticket is settled, so never more than the circuit has given slots. */
static _Atomic int probes[CHANGES_MAX];
static _Atomic int most_probes, too_many_probes, quiet_resets, workers_done;

/* By the generation they began. */
static struct circuit_change changes[CHANGES_MAX];
static _Atomic int reported[CHANGES_MAX];

static void report(const struct circuit_change *change)
{
    CHECK(change->cause && change->generation < CHANGES_MAX);
    changes[change->generation] = *change;
    atomic_fetch_add(&reported[change->generation], 1);
}

static uint64_t next_ms(void)
{
    return atomic_fetch_add_explicit(&time_ms, 1, memory_order_relaxed);
}

static void count_probe(uint32_t generation)
{
    int now = atomic_fetch_add(&probes[generation], 1) + 1;

    if (now > PROBES)
        atomic_fetch_add(&too_many_probes, 1);
    if (now == PROBES)
        atomic_store(&most_probes, PROBES);
}

static bool ask(struct circuit_ticket *ticket)
{
    struct circuit_change change;
    bool admitted = circuit_admit(&circuit, &rules, next_ms(), ticket, &change);

    if (change.cause)
        report(&change);
    if (admitted && ticket->probe)
        count_probe(ticket->generation);
    return admitted;
}

static void settle(struct circuit_ticket *ticket, uint64_t random)
{
    struct circuit_change change = {0};
    bool changed = false;

    if (ticket->probe)
        atomic_fetch_sub(&probes[ticket->generation], 1);
    if (random % 8 == 0)
        circuit_release(&circuit, ticket);
    else if (random % 8 < 5)
        changed = circuit_success(&circuit, &rules, ticket, next_ms(), &change);
    else
        changed = circuit_failure(&circuit, &rules, ticket, random % 64 == 7, next_ms(),
                                  (uint32_t)(random >> 32), &change);
    CHECK(changed == (change.cause != CIRCUIT_CAUSE_NONE));
    if (changed)
        report(&change);
}

static pthread_barrier_t start;

static void *work(void *arg)
{
    struct circuit_ticket tickets[TICKETS] = {0};
    struct random random;

    random_init(&random, (uint64_t)(long)arg);
    (void)pthread_barrier_wait(&start);
    for (int i = 0; i < STEPS; i++) {
        uint64_t r = random_next(&random);
        struct circuit_ticket *ticket = &tickets[r >> 8 & (TICKETS - 1)];

        if (ticket->taken)
            settle(ticket, r);
        else if (circuit_look(&circuit, &rules, next_ms()) != CIRCUIT_LOOK_REFUSE)
            (void)ask(ticket);
    }
    for (int i = 0; i < TICKETS; i++)
        if (tickets[i].taken)
            settle(&tickets[i], random_next(&random));
    atomic_fetch_add(&workers_done, 1);
    return NULL;
}

static void *steer(void *arg)
{
    struct circuit_change change;
    struct random random;

    random_init(&random, (uint64_t)(long)arg);
    (void)pthread_barrier_wait(&start);
    for (int i = 0; atomic_load(&workers_done) < WORKERS; i++) {
        uint64_t now_ms = next_ms();

        /* Rarely, lest nothing else gets to do anything; and no more than there is room for. */
        if (random_next(&random) % 64 || i > 64 * STEPS)
            continue;
        switch (random_next(&random) % 8) {
        case 0:
            if (circuit_reset(&circuit, now_ms, &change))
                report(&change);
            else
                atomic_fetch_add(&quiet_resets, 1);
            break;
        case 1:
            if (circuit_hold(&circuit, now_ms, &change))
                report(&change);
            break;
        case 2:
            if (circuit_tick(&circuit, now_ms, &change))
                report(&change);
            break;
        default:
            if (circuit_unhold(&circuit, now_ms, &change))
                report(&change);
        }
    }
    return NULL;
}

static void run(void *(*worker)(void *), void *(*other)(void *))
{
    pthread_t threads[THREADS];
    int count = other ? THREADS : WORKERS;

    for (long i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i], NULL, i < WORKERS ? worker : other, (void *)(i + 1)) ==
              0);
    for (int i = 0; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static bool is_legal(const struct circuit_change *c)
{
    switch (c->cause) {
    case CIRCUIT_CAUSE_THRESHOLD:
    case CIRCUIT_CAUSE_RATE:
        return c->from == CIRCUIT_CLOSED && c->to == CIRCUIT_OPEN;
    case CIRCUIT_CAUSE_HEALTH_DOWN:
        return c->from != CIRCUIT_HELD && c->to == CIRCUIT_HELD;
    case CIRCUIT_CAUSE_PROBE_FAILED:
        return c->from == CIRCUIT_HALF_OPEN && c->to == CIRCUIT_OPEN;
    case CIRCUIT_CAUSE_TIMEOUT_OVER:
        return c->from == CIRCUIT_OPEN && c->to == CIRCUIT_HALF_OPEN;
    case CIRCUIT_CAUSE_RECOVERED:
        return c->from == CIRCUIT_HELD && c->to == CIRCUIT_HALF_OPEN;
    case CIRCUIT_CAUSE_PROBES_PASSED:
        return c->from == CIRCUIT_HALF_OPEN && c->to == CIRCUIT_CLOSED;
    case CIRCUIT_CAUSE_RESET:
        return c->from != CIRCUIT_CLOSED && c->to == CIRCUIT_CLOSED;
    default:
        return false;
    }
}

/* Each generation was begun by one reported transition from the phase before it, or by the reset of
 * a closed circuit, which is none. */
static void print_chain(uint32_t last_generation, enum circuit_phase last_phase)
{
    int causes[CIRCUIT_CAUSE_COUNT] = {0}, twice = 0, breaks = 0, illegal = 0, silent = 0;
    enum circuit_phase phase = CIRCUIT_CLOSED;

    for (uint32_t g = 1; g <= last_generation; g++) {
        if (!reported[g]) {
            silent++;
            breaks += phase != CIRCUIT_CLOSED;
            continue;
        }
        twice += reported[g] > 1;
        breaks += changes[g].from != phase;
        illegal += !is_legal(&changes[g]);
        causes[changes[g].cause]++;
        phase = changes[g].to;
    }
    breaks += phase != last_phase;
    printf("twice=%d\nbreaks=%d\nillegal=%d\nunexplained=%d\nquiet_resets=%d\n", twice, breaks,
           illegal, abs(silent - quiet_resets), quiet_resets);
    for (int i = 1; i < CIRCUIT_CAUSE_COUNT; i++)
        printf("cause_%d=%d\n", i, causes[i]);
}

static void everything_at_once(void)
{
    struct circuit_status status;

    CHECK(pthread_barrier_init(&start, NULL, THREADS) == 0);
    run(work, steer);
    circuit_read(&circuit, next_ms(), &status);
    /* The word and not the status: that reads half-open when an open time is over. */
    print_chain(status.generation, (enum circuit_phase)(circuit.word >> CIRCUIT_PHASE_SHIFT));
    printf("too_many_probes=%d\nmost_probes=%d\nslots_lost=%u\n", too_many_probes, most_probes,
           status.in_flight);
}

static _Atomic int admitted, full;

static void *take_and_release(void *arg)
{
    struct circuit_ticket ticket;

    (void)arg;
    for (int i = 0; i < STEPS; i++) {
        if (!ask(&ticket)) {
            atomic_fetch_add(&full, 1);
            continue;
        }
        atomic_fetch_add(&admitted, 1);
        atomic_fetch_sub(&probes[ticket.generation], 1);
        circuit_release(&circuit, &ticket);
    }
    return NULL;
}

static void releases(void)
{
    struct circuit_change change;
    struct circuit_status status;

    circuit = (struct circuit){0};
    CHECK(circuit_hold(&circuit, next_ms(), &change));
    CHECK(circuit_unhold(&circuit, next_ms(), &change));
    for (int i = 0; i < CHANGES_MAX; i++)
        probes[i] = 0;
    run(take_and_release, NULL);
    circuit_read(&circuit, next_ms(), &status);
    printf("released=%d\nreleases_in_flight=%u\nreleases_generation=%u\n",
           admitted > 0 && admitted + full == WORKERS * STEPS, status.in_flight, status.generation);
    printf("releases_too_many=%d\n", too_many_probes);
}

static _Atomic int openings;

static void *fail(void *arg)
{
    static const struct circuit_rules patient = {.threshold = WORKERS * STEPS, .timeout_ms = 1000};
    struct circuit_ticket ticket;
    struct circuit_change change;

    (void)arg;
    for (int i = 0; i < STEPS; i++) {
        CHECK(circuit_admit(&circuit, &patient, 1, &ticket, &change));
        if (circuit_failure(&circuit, &patient, &ticket, false, 1, 0, &change))
            atomic_fetch_add(&openings, 1);
    }
    return NULL;
}

static void failures(void)
{
    struct circuit_status status;

    circuit = (struct circuit){0};
    run(fail, NULL);
    circuit_read(&circuit, 1, &status);
    printf("failures=%u\nopenings=%d\nopen=%d\n", status.failures, openings,
           status.phase == CIRCUIT_OPEN);
}

/* Where a store would be fatal. */
static void success_without_store(void)
{
    struct circuit *c = mmap(NULL, sizeof(*c), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct circuit_ticket ticket;
    struct circuit_change change;

    CHECK(c != MAP_FAILED);
    CHECK(circuit_look(c, &rules, 1) == CIRCUIT_LOOK_PASS);
    CHECK(circuit_admit(c, &rules, 1, &ticket, &change));
    CHECK(!circuit_success(c, &rules, &ticket, 1, &change));
    printf("without_store=1\n");
}

int main(void)
{
    success_without_store();
    everything_at_once();
    releases();
    failures();
    return 0;
}
