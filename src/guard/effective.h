/* effective.h - may a member get a request? The one truth about what its session, drain, maintenance,
 * health, circuit, slow start and requests in progress together mean.
 *
 * Every state is one bit of a set of facts, one value for each of the seven dimensions. The rules are
 * looked at in their order and the first that one of the facts meets decides: whether requests go there,
 * after which other members, and why not. scripts/STATES.md is generated from these rules.
 *
 * A share (of EFFECTIVE_ALL) is held against a draw, a number that is as good as evenly spread over
 * the requests of a member: what is below the share goes there.
 *
 * Thread: any; pure. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "guard/verdict.h"
#include <stdint.h>
#endif

/* X(ID, bit, name): the values of each dimension. */
#define EFFECTIVE_SESSIONS(X) \
    X(CONNECTED, 0, "connected") X(DISCONNECTED, 1, "disconnected") X(SUPERSEDED, 2, "superseded")
#define EFFECTIVE_DRAINS(X) \
    X(NO_DRAIN, 3, "none") X(DRAIN_PASSED, 4, "draining") X(DRAIN_TURNED, 5, "turned away")
#define EFFECTIVE_MAINTENANCES(X) X(IN_SERVICE, 6, "no") X(IN_MAINTENANCE, 7, "yes")
#define EFFECTIVE_HEALTHS(X) \
    X(UNKNOWN, 8, "unknown") X(AWAITED, 9, "awaited") X(HEALTHY, 10, "healthy") \
    X(DEGRADED, 11, "degraded") X(DOWN, 12, "down")
#define EFFECTIVE_CIRCUITS(X) \
    X(CLOSED, 13, "closed") X(PROBE, 14, "half-open, a place free") \
    X(FULL, 15, "half-open, no place free") X(OPEN, 16, "open")
#define EFFECTIVE_STARTS(X) X(WARM, 17, "no") X(SLOW, 18, "yes")
#define EFFECTIVE_LOADS(X) X(ROOM, 19, "below max_requests") X(BUSY, 20, "at max_requests")

enum effective_fact {
#define EFFECTIVE_FACT(id, bit, name) EFFECTIVE_##id = 1 << (bit),
    EFFECTIVE_SESSIONS(EFFECTIVE_FACT) EFFECTIVE_DRAINS(EFFECTIVE_FACT)
    EFFECTIVE_MAINTENANCES(EFFECTIVE_FACT) EFFECTIVE_HEALTHS(EFFECTIVE_FACT)
    EFFECTIVE_CIRCUITS(EFFECTIVE_FACT) EFFECTIVE_STARTS(EFFECTIVE_FACT) EFFECTIVE_LOADS(EFFECTIVE_FACT)
#undef EFFECTIVE_FACT
    EFFECTIVE_FACTS = 21, /* bits */
    EFFECTIVE_ANY = (1 << EFFECTIVE_FACTS) - 1
};

/* What a rule says, best first. */
enum effective_use {
    EFFECTIVE_USE_FULL,        /* as good as any */
    EFFECTIVE_USE_PROBE,       /* as good as any for a request that can be repeated, else after all others */
    EFFECTIVE_USE_SHARED,      /* for its share of requests as good as any, for the rest after those that are */
    EFFECTIVE_USE_LAST_RESORT, /* when no other member can be used */
    EFFECTIVE_USE_NONE         /* never; the verdict says why */
};

struct effective_rule {
    uint32_t facts;         /* decides where one of these holds */
    enum effective_use use;
    enum verdict verdict;   /* with USE_NONE: what a client is told when no other member is there */
};

enum { EFFECTIVE_ALL = 1 << 16 }; /* the share that is everything */

/* The rule that decides for a set of facts, one bit of each dimension. Never NULL. */
const struct effective_rule *effective_of(uint32_t facts);

/* All rules in their order, for the documentation. */
const struct effective_rule *effective_rules(unsigned *count);

/* The name of a fact: "half-open, a place free"; NULL for a bit (0 to EFFECTIVE_FACTS - 1) that is none. */
const char *effective_fact_name(unsigned bit);

/* "full", "probe", "shared", "last resort", "none". */
const char *effective_use_name(enum effective_use use);
