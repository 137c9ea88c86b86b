#include "guard/circuit.h"

/* Memory order: all that decides is in the word, its values have one order for all threads, and no
 * other memory is published through it. So every load and every compare-and-swap is relaxed; the
 * fields beside it are informational and relaxed too. */

_Static_assert(CIRCUIT_CLOSED == 0, "zeroed memory is a closed circuit");

enum { GENERATION_SHIFT = 32, SUCCESSES_SHIFT = 16 };

static const uint32_t GENERATION_MASK = 0x3fffffff, HALF_MASK = 0xffff;

/* Of the 2^32 ms around an until, these lie after it: half, less the two minutes by which a
 * thread's time may be behind that of the one which opened it for the longest time. */
static const uint32_t LATER_MS = 0x80000000u - 2 * 60 * 1000;

extern inline enum circuit_look circuit_look(const struct circuit *c,
                                             const struct circuit_rules *rules, uint64_t now_ms);

static const char *const cause_texts[CIRCUIT_CAUSE_COUNT] = {
#define CIRCUIT_CAUSE_TEXT(id, text) [CIRCUIT_CAUSE_##id] = text,
    CIRCUIT_CAUSES(CIRCUIT_CAUSE_TEXT)
#undef CIRCUIT_CAUSE_TEXT
};

const char *circuit_cause_text(enum circuit_cause cause)
{
    CHECK((unsigned)cause < CIRCUIT_CAUSE_COUNT);
    return cause_texts[cause];
}

const char *circuit_phase_text(enum circuit_phase phase)
{
    static const char *const texts[] = {
        [CIRCUIT_CLOSED] = "closed",
        [CIRCUIT_OPEN] = "open",
        [CIRCUIT_HALF_OPEN] = "half-open",
        [CIRCUIT_HELD] = "open",
    };

    CHECK((unsigned)phase < sizeof(texts) / sizeof(texts[0]));
    return texts[phase];
}

/* ---- the word */

static uint64_t load(const struct circuit *c)
{
    return atomic_load_explicit(&c->word, memory_order_relaxed);
}

static enum circuit_phase phase_of(uint64_t word)
{
    return (enum circuit_phase)(word >> CIRCUIT_PHASE_SHIFT);
}

static uint32_t generation_of(uint64_t word)
{
    return (uint32_t)(word >> GENERATION_SHIFT) & GENERATION_MASK;
}

static uint32_t argument_of(uint64_t word)
{
    return (uint32_t)word;
}

static uint32_t in_flight_of(uint64_t word)
{
    return argument_of(word) & HALF_MASK;
}

static uint32_t successes_of(uint64_t word)
{
    return argument_of(word) >> SUCCESSES_SHIFT;
}

static bool time_is_over(uint64_t word, uint64_t now_ms)
{
    return (uint32_t)now_ms - argument_of(word) < LATER_MS;
}

/* False: the word was another; *seen is what it is. */
static bool swap(struct circuit *c, uint64_t *seen, uint64_t next)
{
    return atomic_compare_exchange_weak_explicit(&c->word, seen, next, memory_order_relaxed,
                                                 memory_order_relaxed);
}

/* What move() is to do, until it has. */
static struct circuit_change change_to(enum circuit_phase phase, enum circuit_cause cause,
                                       uint64_t now_ms)
{
    return (struct circuit_change){.to = phase, .cause = cause, .now_ms = now_ms};
}

/* Tries to change the phase from the one in *seen to change->to, with a new generation. Completes
 * *change when it did, clears it when the word was another. */
static bool move(struct circuit *c, uint64_t *seen, uint32_t argument,
                 struct circuit_change *change)
{
    change->from = phase_of(*seen);
    change->generation = (generation_of(*seen) + 1) & GENERATION_MASK;
    if (swap(c, seen,
             (uint64_t)change->to << CIRCUIT_PHASE_SHIFT |
                 (uint64_t)change->generation << GENERATION_SHIFT | argument))
        return true;
    *change = (struct circuit_change){0};
    return false;
}

/* ---- what is noted beside the word */

static void note_opened(struct circuit *c, uint32_t failures, uint32_t reopenings, uint64_t now_ms)
{
    atomic_store_explicit(&c->opened_ms, now_ms, memory_order_relaxed);
    atomic_store_explicit(&c->failures, failures, memory_order_relaxed);
    atomic_store_explicit(&c->reopenings, reopenings, memory_order_relaxed);
}

static void note_closed(struct circuit *c, uint64_t now_ms)
{
    atomic_store_explicit(&c->closed_ms, now_ms, memory_order_relaxed);
    atomic_store_explicit(&c->reopenings, 0, memory_order_relaxed);
}

/* ---- admission */

enum circuit_look circuit_look_word(uint64_t word, const struct circuit_rules *rules,
                                    uint64_t now_ms)
{
    switch (phase_of(word)) {
    case CIRCUIT_CLOSED:
        return CIRCUIT_LOOK_PASS;
    case CIRCUIT_OPEN:
        return time_is_over(word, now_ms) ? CIRCUIT_LOOK_PROBE : CIRCUIT_LOOK_REFUSE;
    case CIRCUIT_HALF_OPEN:
        return in_flight_of(word) < circuit_rules_probes(rules) ? CIRCUIT_LOOK_PROBE
                                                                : CIRCUIT_LOOK_FULL;
    case CIRCUIT_HELD:
        break;
    }
    return CIRCUIT_LOOK_REFUSE;
}

/* Tries to take a slot, the first of a new half-open phase when the word is an open one. */
static bool take_slot(struct circuit *c, uint64_t *word, uint64_t now_ms,
                      struct circuit_change *change)
{
    if (phase_of(*word) == CIRCUIT_HALF_OPEN)
        return swap(c, word, *word + 1);
    *change = change_to(CIRCUIT_HALF_OPEN, CIRCUIT_CAUSE_TIMEOUT_OVER, now_ms);
    return move(c, word, 1, change);
}

bool circuit_admit(struct circuit *c, const struct circuit_rules *rules, uint64_t now_ms,
                   struct circuit_ticket *ticket, struct circuit_change *change)
{
    uint64_t word = load(c);
    enum circuit_look look;

    *change = (struct circuit_change){0};
    *ticket = (struct circuit_ticket){0};
    do {
        look = circuit_look_word(word, rules, now_ms);
        if (look == CIRCUIT_LOOK_FULL || look == CIRCUIT_LOOK_REFUSE)
            return false;
    } while (look == CIRCUIT_LOOK_PROBE && !take_slot(c, &word, now_ms, change));
    ticket->generation = change->cause ? change->generation : generation_of(word);
    ticket->probe = look == CIRCUIT_LOOK_PROBE;
    ticket->taken = true;
    return true;
}

bool circuit_tick(struct circuit *c, uint64_t now_ms, struct circuit_change *change)
{
    uint64_t word = load(c);

    *change = (struct circuit_change){0};
    while (phase_of(word) == CIRCUIT_OPEN && time_is_over(word, now_ms)) {
        *change = change_to(CIRCUIT_HALF_OPEN, CIRCUIT_CAUSE_TIMEOUT_OVER, now_ms);
        if (move(c, &word, 0, change))
            return true;
    }
    return false;
}

/* ---- results */

static void settle(struct circuit_ticket *ticket)
{
    CHECK(ticket->taken);
    ticket->taken = false;
}

/* Is the ticket of the generation of the word, and so its phase still that of the admission? */
static bool counts(const struct circuit_ticket *ticket, uint64_t word)
{
    return ticket->generation == generation_of(word);
}

static bool probe_passed(struct circuit *c, const struct circuit_rules *rules,
                         const struct circuit_ticket *ticket, uint64_t now_ms,
                         struct circuit_change *change)
{
    uint64_t word = load(c);

    while (counts(ticket, word)) {
        CHECK(in_flight_of(word) > 0);
        if (successes_of(word) + 1 < circuit_rules_probes(rules)) {
            if (swap(c, &word, word - 1 + ((uint64_t)1 << SUCCESSES_SHIFT)))
                return false;
            continue;
        }
        *change = change_to(CIRCUIT_CLOSED, CIRCUIT_CAUSE_PROBES_PASSED, now_ms);
        if (move(c, &word, 0, change)) {
            note_closed(c, now_ms);
            return true;
        }
    }
    return false;
}

bool circuit_success(struct circuit *c, const struct circuit_rules *rules,
                     struct circuit_ticket *ticket, uint64_t now_ms, struct circuit_change *change)
{
    uint64_t word;

    settle(ticket);
    *change = (struct circuit_change){0};
    if (UNLIKELY(ticket->probe))
        return probe_passed(c, rules, ticket, now_ms, change);
    /* Mostly there are no failures to forget: a load, no store, so that the line stays shared. */
    word = load(c);
    while (counts(ticket, word) && argument_of(word) > 0)
        if (swap(c, &word, word - argument_of(word)))
            break;
    return false;
}

static bool probe_failed(struct circuit *c, const struct circuit_rules *rules,
                         const struct circuit_ticket *ticket, uint64_t now_ms, uint32_t random,
                         struct circuit_change *change)
{
    uint64_t word = load(c);
    uint32_t reopenings = atomic_load_explicit(&c->reopenings, memory_order_relaxed) + 1;
    uint32_t failures = atomic_load_explicit(&c->failures, memory_order_relaxed) + 1;
    uint64_t open_ms = circuit_rules_open_ms(rules, reopenings, random);

    while (counts(ticket, word)) {
        *change = change_to(CIRCUIT_OPEN, CIRCUIT_CAUSE_PROBE_FAILED, now_ms);
        change->until_ms = now_ms + open_ms;
        if (!move(c, &word, (uint32_t)change->until_ms, change))
            continue;
        atomic_store_explicit(&c->last_failure_ms, now_ms, memory_order_relaxed);
        note_opened(c, failures, reopenings, now_ms);
        return true;
    }
    return false;
}

/* Why this failure opens a closed circuit; NONE: it does not. */
static enum circuit_cause opening_cause(const struct circuit_rules *rules, uint32_t failures,
                                        bool rate_exceeded)
{
    if (rules->threshold == 0)
        return CIRCUIT_CAUSE_NONE;
    if (failures >= rules->threshold)
        return CIRCUIT_CAUSE_THRESHOLD;
    return rate_exceeded ? CIRCUIT_CAUSE_RATE : CIRCUIT_CAUSE_NONE;
}

static bool request_failed(struct circuit *c, const struct circuit_rules *rules,
                           const struct circuit_ticket *ticket, bool rate_exceeded, uint64_t now_ms,
                           struct circuit_change *change)
{
    uint64_t word = load(c), open_ms = circuit_rules_open_ms(rules, 0, 0);
    enum circuit_cause cause = CIRCUIT_CAUSE_NONE;
    uint32_t failures;
    bool done = false;

    while (!done && counts(ticket, word)) {
        failures = argument_of(word) + (argument_of(word) < UINT32_MAX);
        cause = opening_cause(rules, failures, rate_exceeded);
        if (cause) {
            *change = change_to(CIRCUIT_OPEN, cause, now_ms);
            change->until_ms = now_ms + open_ms;
            done = move(c, &word, (uint32_t)change->until_ms, change);
        } else {
            done = swap(c, &word, word - argument_of(word) + failures);
        }
    }
    if (!done)
        return false;
    atomic_store_explicit(&c->last_failure_ms, now_ms, memory_order_relaxed);
    if (cause)
        note_opened(c, failures, 0, now_ms);
    return cause != CIRCUIT_CAUSE_NONE;
}

bool circuit_failure(struct circuit *c, const struct circuit_rules *rules,
                     struct circuit_ticket *ticket, bool rate_exceeded, uint64_t now_ms,
                     uint32_t random, struct circuit_change *change)
{
    settle(ticket);
    *change = (struct circuit_change){0};
    return ticket->probe ? probe_failed(c, rules, ticket, now_ms, random, change)
                         : request_failed(c, rules, ticket, rate_exceeded, now_ms, change);
}

void circuit_release(struct circuit *c, struct circuit_ticket *ticket)
{
    uint64_t word;

    settle(ticket);
    if (LIKELY(!ticket->probe))
        return;
    word = load(c);
    while (counts(ticket, word)) {
        CHECK(in_flight_of(word) > 0);
        if (swap(c, &word, word - 1))
            return;
    }
}

/* ---- health and operators */

bool circuit_hold(struct circuit *c, uint64_t now_ms, struct circuit_change *change)
{
    uint64_t word = load(c), before;

    *change = (struct circuit_change){0};
    do {
        before = word;
        if (phase_of(word) == CIRCUIT_HELD)
            return false;
        *change = change_to(CIRCUIT_HELD, CIRCUIT_CAUSE_HEALTH_DOWN, now_ms);
    } while (!move(c, &word, 0, change));
    if (change->from == CIRCUIT_CLOSED)
        note_opened(c, argument_of(before), 0, now_ms);
    else if (change->from == CIRCUIT_HALF_OPEN)
        atomic_store_explicit(&c->opened_ms, now_ms, memory_order_relaxed);
    return true;
}

bool circuit_renew(struct circuit *c, uint32_t generation)
{
    uint64_t word = load(c);

    while (phase_of(word) == CIRCUIT_HALF_OPEN && generation_of(word) == generation &&
           in_flight_of(word)) {
        uint64_t next = (uint64_t)CIRCUIT_HALF_OPEN << CIRCUIT_PHASE_SHIFT |
                        (uint64_t)((generation + 1) & GENERATION_MASK) << GENERATION_SHIFT |
                        (uint64_t)successes_of(word) << SUCCESSES_SHIFT;

        if (swap(c, &word, next))
            return true;
    }
    return false;
}

bool circuit_unhold(struct circuit *c, uint64_t now_ms, struct circuit_change *change)
{
    uint64_t word = load(c);

    *change = (struct circuit_change){0};
    while (phase_of(word) == CIRCUIT_HELD) {
        *change = change_to(CIRCUIT_HALF_OPEN, CIRCUIT_CAUSE_RECOVERED, now_ms);
        if (move(c, &word, 0, change))
            return true;
    }
    return false;
}

bool circuit_reset(struct circuit *c, uint64_t now_ms, struct circuit_change *change)
{
    uint64_t word = load(c);

    do {
        *change = change_to(CIRCUIT_CLOSED, CIRCUIT_CAUSE_RESET, now_ms);
    } while (!move(c, &word, 0, change));
    note_closed(c, now_ms);
    if (change->from != CIRCUIT_CLOSED)
        return true;
    *change = (struct circuit_change){0};
    return false;
}

/* ---- readings */

/* Completes *s, whose informational fields are filled, from the word. */
static void read_phase(uint64_t word, uint64_t now_ms, struct circuit_status *s)
{
    s->phase = phase_of(word);
    s->generation = generation_of(word);
    switch (s->phase) {
    case CIRCUIT_CLOSED:
        s->failures = argument_of(word);
        break;
    case CIRCUIT_OPEN:
        if (time_is_over(word, now_ms))
            s->phase = CIRCUIT_HALF_OPEN;
        else
            s->until_ms = now_ms + (uint32_t)(argument_of(word) - (uint32_t)now_ms);
        break;
    case CIRCUIT_HALF_OPEN:
        s->successes = successes_of(word);
        s->in_flight = in_flight_of(word);
        break;
    case CIRCUIT_HELD:
        s->phase = CIRCUIT_OPEN;
        s->held = true;
        break;
    }
}

uint64_t circuit_rate_window_ms(const struct circuit *c, const struct circuit_rules *rules,
                                uint64_t now_ms)
{
    uint64_t closed_ms = atomic_load_explicit(&c->closed_ms, memory_order_relaxed);
    uint64_t since_ms = now_ms < closed_ms ? 0 : now_ms - closed_ms;

    return since_ms < rules->rate_window_ms ? since_ms : rules->rate_window_ms;
}

void circuit_read(const struct circuit *c, uint64_t now_ms, struct circuit_status *status)
{
    *status = (struct circuit_status){
        .failures = atomic_load_explicit(&c->failures, memory_order_relaxed),
        .reopenings = atomic_load_explicit(&c->reopenings, memory_order_relaxed),
        .opened_ms = atomic_load_explicit(&c->opened_ms, memory_order_relaxed),
        .last_failure_ms = atomic_load_explicit(&c->last_failure_ms, memory_order_relaxed),
    };
    read_phase(load(c), now_ms, status);
}
