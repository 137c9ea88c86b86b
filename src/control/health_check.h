/* health_check.h - one health check: when it runs, what came of it, what that means.
 *
 * One request at a time (control/probe.h): the first as the pace allows, each later one an
 * interval, give or take a tenth, after the one before started, or when that ends, should it take
 * longer.
 *
 * Thread: control. Ownership: control/health.c makes, owns and frees it. */
#pragma once
#include "base/slice.h"
#include "control/health.h"
#include "control/health_pace.h"
#include "guard/health_history.h"

struct probe;
struct probe_result;
struct probe_target;

enum { HEALTH_RESULT_SIZE = 32, HEALTH_OVERDUE_INTERVALS = 3,
       HEALTH_DOWN_HURRY = 6 /* a default check of what is down runs so much more often */ };

struct health {
    struct control *control;
    struct route_state *state; /* whose it is */
    struct health_plan plan;
    /* running */
    struct probe_target *target;
    struct probe *probe;     /* the check that runs, or NULL */
    struct health_turn turn; /* for the first one */
    ev_timer timer;          /* a check runs: when it is overdue; else the next one */
    uint64_t started_ms;     /* of the newest check; 0: none yet */
    uint64_t ended_ms;       /* of the newest that ended; 0: none yet */
    bool overdue_logged;
    /* results */
    struct health_history history;
    struct health_judgement judgement; /* what holds */
    bool judged;                       /* its policy has answered once */
    char last_result[HEALTH_RESULT_SIZE];
    uint64_t last_wall_ms, last_latency_ms;
    uint64_t since_ms, since_wall_ms; /* of the state */
    uint64_t checks, failures;
};

/* Logs that it is registered and starts it; the plan is the check's from now on. NULL: its URL cannot be
 * asked, which is logged. */
struct health *health_check_new(struct control *c, struct route_state *s, struct health_plan *plan);

/* Other times or another policy from now on, for the same URL: results and state stay. Takes the plan over. */
void health_check_replan(struct health *h, struct health_plan *plan);

/* Ends it. Logs that it is removed, unless all is ending. */
void health_check_free(struct health *h);

/* The policy that is asked: the plan's, or "default" when there is none of that name. */
const char *health_check_policy(const struct health *h);

/* Has no check ended for three intervals? */
bool health_check_overdue(const struct health *h, uint64_t now_ms);
