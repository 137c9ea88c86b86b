/* health_history.h - the last results of one health check, and what may be made of them.
 *
 * What results mean is a Lua policy's to say (scripts/health/); this is what it is told, what it
 * answers, and the rule that holds where no policy can: the first result decides at once, and
 * rise and fall where a policy never answered.
 *
 * Thread: one owner's; pure, time is passed in. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stdbool.h>
#include <stdint.h>
#endif

enum { HEALTH_RESULTS = 32, HEALTH_RISE = 2, HEALTH_FALL = 3, HEALTH_REASON_SIZE = 64 };

/* What a backend is, as results say. */
enum health_answer { HEALTH_ANSWER_HEALTHY, HEALTH_ANSWER_DEGRADED, HEALTH_ANSWER_DOWN };

/* Bit 0 is the newest result. */
struct health_history {
    uint32_t results; /* 1: passed */
    uint32_t changes; /* 1: with this result the answer became another one */
    uint32_t count;   /* results that are kept, at most HEALTH_RESULTS */
    uint32_t run;     /* as many in a row, the newest included, went like the newest */
};

/* What a policy is told. */
struct health_facts {
    struct health_history history;
    enum health_answer state; /* as it is so far */
    uint64_t state_ms;        /* for so long */
    uint64_t latency_ms;      /* of the newest result */
    int status;               /* its HTTP status, 0: no answer came */
    const char *error;        /* its token, "connection_refused"; NULL: it passed */
};

/* What a policy answers. */
struct health_judgement {
    enum health_answer answer;
    double share; /* of requests, above 0 and at most 1, for DEGRADED; else 1 or 0 */
    char reason[HEALTH_REASON_SIZE]; /* a token; "": none given */
};

void health_history_add(struct health_history *h, bool passed);

/* The newest result made another answer. */
void health_history_mark_change(struct health_history *h);

/* How many of the kept results did. */
unsigned health_history_changes(const struct health_history *h);

/* Did the nth newest (from 0, below count) pass? */
bool health_history_passed(const struct health_history *h, unsigned nth);

/* How many in a row, the newest included, passed or failed; one of both is 0. */
unsigned health_history_passed_run(const struct health_history *h);
unsigned health_history_failed_run(const struct health_history *h);

/* The answer without a policy: the first result decides; then HEALTH_RISE passes in a row make it
 * healthy, HEALTH_FALL failures in a row down, anything less leaves it. */
enum health_answer health_history_judge(const struct health_history *h, enum health_answer state);
