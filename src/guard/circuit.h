/* circuit.h - the circuit breaker of one backend.
 *
 * Closed: everything passes; failures in a row (or a share of failures, see failure_window.h) open
 * it. Open: nothing passes for a time. Half-open: a bounded number of requests at a time, the
 * probes; so many successes in a row close it, one failure opens it again, for longer each time.
 * Held: open for as long as health says so.
 *
 * Every request that was admitted holds a ticket and settles it exactly once. Whenever the phase
 * changes, or on reset, a new generation begins, and tickets of older ones settle without effect.
 * All that decides is in one 64-bit word, and every change of it is one compare-and-swap: of all
 * threads exactly one makes a transition and is told of it (struct circuit_change).
 *
 * Thread: any, all functions, concurrently. Zeroed memory is a closed circuit. Time: callers pass
 * now_ms (monotonic; threads may differ by up to two minutes). Of the end of an open time the word
 * holds 32 bits: call circuit_tick or circuit_admit at least once within the 24 days after it, or
 * it reads as open once more. FFI-clean. */
#ifdef FFI_CDEF
#define _Atomic /* LuaJIT's FFI knows no atomics; the layout is the same */
#else
#pragma once
#include "base/check.h"
#include "guard/circuit_rules.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#endif

/* In words for people: a held circuit reads as an open one. */
enum circuit_phase { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN, CIRCUIT_HELD };

/* "closed", "open", "half-open"; a held one is "open". */
const char *circuit_phase_text(enum circuit_phase phase);

/* X(ID, text): why the phase changed. */
#define CIRCUIT_CAUSES(X) \
    X(NONE, "nothing changed") \
    X(THRESHOLD, "failures in a row") \
    X(RATE, "share of failures") \
    X(HEALTH_DOWN, "health is down") \
    X(PROBE_FAILED, "a probe failed") \
    X(TIMEOUT_OVER, "the open time is over") \
    X(RECOVERED, "health is back") \
    X(PROBES_PASSED, "probes passed") \
    X(RESET, "reset")

enum circuit_cause {
#define CIRCUIT_CAUSE_ID(id, text) CIRCUIT_CAUSE_##id,
    CIRCUIT_CAUSES(CIRCUIT_CAUSE_ID)
#undef CIRCUIT_CAUSE_ID
    CIRCUIT_CAUSE_COUNT
};

/* "failures in a row", ... */
const char *circuit_cause_text(enum circuit_cause cause);

enum { CIRCUIT_PHASE_SHIFT = 62 };

struct circuit {
    /* Phase (2 bits), generation (30), and by phase: failures in a row (closed), the end of the
     * open time modulo 2^32 (open), successes in a row and probes in flight (half-open, 16 each). */
    _Atomic uint64_t word;
    /* Stored after the word by who changed it; each a value by itself. */
    _Atomic uint64_t opened_ms;       /* when it last opened (again), or was held; 0 never */
    _Atomic uint64_t closed_ms;       /* when it last became closed, by reset too; 0 never */
    _Atomic uint64_t last_failure_ms; /* when a failure last counted; 0 never */
    _Atomic uint32_t reopenings;      /* failed probes since it was last closed */
    _Atomic uint32_t failures;        /* in a row when it left closed, and failed probes since */
};

/* What an admitted request holds. */
struct circuit_ticket {
    uint32_t generation;
    bool probe; /* it holds one of the half-open slots */
    bool taken; /* still to be settled */
};

/* One transition. cause is CIRCUIT_CAUSE_NONE and the rest 0 when the call changed nothing. */
struct circuit_change {
    enum circuit_phase from, to;
    enum circuit_cause cause;
    uint32_t generation; /* that begins; one more than the one before, modulo 2^30 */
    uint64_t now_ms;
    uint64_t until_ms; /* the end of the open time; 0 unless to is CIRCUIT_OPEN */
};

enum circuit_look {
    CIRCUIT_LOOK_PASS,  /* closed */
    CIRCUIT_LOOK_PROBE, /* half-open with a slot to spare, or open and its time is over */
    CIRCUIT_LOOK_FULL,  /* half-open, all slots taken */
    CIRCUIT_LOOK_REFUSE /* open or held */
};

/* What circuit_admit would do, read off a word. */
MUST_USE enum circuit_look circuit_look_word(uint64_t word, const struct circuit_rules *rules,
                                             uint64_t now_ms);

/* What circuit_admit would do now. Changes nothing; when closed it costs one load. */
#ifdef FFI_CDEF
enum circuit_look circuit_look(const struct circuit *c, const struct circuit_rules *rules,
                               uint64_t now_ms);
#else
MUST_USE inline enum circuit_look circuit_look(const struct circuit *c,
                                               const struct circuit_rules *rules, uint64_t now_ms)
{
    /* Relaxed: see circuit.c. */
    uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);

    if (LIKELY(word >> CIRCUIT_PHASE_SHIFT == CIRCUIT_CLOSED))
        return CIRCUIT_LOOK_PASS;
    return circuit_look_word(word, rules, now_ms);
}
#endif

/* May a request go through? Fills *ticket if so. Makes an open circuit whose time is over
 * half-open; *change says whether it did. */
MUST_USE bool circuit_admit(struct circuit *c, const struct circuit_rules *rules, uint64_t now_ms,
                            struct circuit_ticket *ticket, struct circuit_change *change);

/* Settling a ticket, each but once: the backend answered well; it failed; neither can be said (the
 * client went away). The first two return whether they changed the phase.
 *
 * rules may be others than at the admission. rate_exceeded: circuit_rules_rate_exceeded says so
 * (false without a rate). random: any 32 bits, for the jitter of open times. */
MUST_USE bool circuit_success(struct circuit *c, const struct circuit_rules *rules,
                              struct circuit_ticket *ticket, uint64_t now_ms,
                              struct circuit_change *change);
MUST_USE bool circuit_failure(struct circuit *c, const struct circuit_rules *rules,
                              struct circuit_ticket *ticket, bool rate_exceeded, uint64_t now_ms,
                              uint32_t random, struct circuit_change *change);
void circuit_release(struct circuit *c, struct circuit_ticket *ticket);

/* The window over which to sum for circuit_rules_rate_exceeded: rate_window_ms, but not back past
 * the last closing, else what was settled then would open it again. */
uint64_t circuit_rate_window_ms(const struct circuit *c, const struct circuit_rules *rules,
                                uint64_t now_ms);

/* Makes an open circuit whose time is over half-open, without a request. Returns whether it did. */
MUST_USE bool circuit_tick(struct circuit *c, uint64_t now_ms, struct circuit_change *change);

/* Probes of this generation that are still not settled count no longer, so that others may go in their
 * place: one that takes for ever must not keep the circuit half-open. Successes stay. False: there are
 * none. Not a transition. */
MUST_USE bool circuit_renew(struct circuit *c, uint32_t generation);

/* Health is down: open until circuit_unhold or circuit_reset. False when it is held already. */
MUST_USE bool circuit_hold(struct circuit *c, uint64_t now_ms, struct circuit_change *change);

/* Health is back: half-open. False, and no change, when it was not held. */
MUST_USE bool circuit_unhold(struct circuit *c, uint64_t now_ms, struct circuit_change *change);

/* Closed with all counts 0 and a new generation, whatever it was. False when it was closed: there
 * was no transition then, though results in flight no longer count. */
MUST_USE bool circuit_reset(struct circuit *c, uint64_t now_ms, struct circuit_change *change);

/* For people. phase is never CIRCUIT_HELD, and half-open as soon as an open time is over. */
struct circuit_status {
    enum circuit_phase phase;
    bool held;                /* open, and by health */
    uint32_t generation;      /* of the word */
    uint32_t failures;        /* closed: in a row; else those that opened it, and failed probes */
    uint32_t successes;       /* half-open: probes passed in a row */
    uint32_t in_flight;       /* half-open: probes not yet settled */
    uint32_t reopenings;      /* failed probes since it was last closed */
    uint64_t opened_ms;       /* the last opening; 0 never */
    uint64_t until_ms;        /* the end of the open time; 0 when not open, and when held */
    uint64_t last_failure_ms; /* 0 never */
};

/* Fills *status with what is true at now_ms. */
void circuit_read(const struct circuit *c, uint64_t now_ms, struct circuit_status *status);
