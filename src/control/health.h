/* health.h - the health checks of live routes.
 *
 * Every live route has one, unless they are switched off. It starts when its configuration is made
 * live and ends with the route; one whose plan did not change goes on undisturbed. What it finds
 * goes into the route's state (route_state_set_health), into its circuit (control/circuits.h), to
 * the log and to the session's subscribers.
 *
 * Thread: control. Ownership: a check belongs to the route state it hangs on (route_state->health)
 * and is gone before that is freed: sync and drop see to it. */
#pragma once
#include "config/route_state.h"
#include "control/health_plan.h"

struct route_entry;
struct session;

void health_init(struct control *c);
void health_fini(struct control *c); /* all checks are gone */

/* A live route of set is new or has changed, or what is set for it: it gets the check that it is to have. */
void health_sync(struct control *c, const struct config_set *set, const struct route_entry *route);

/* Forgets what was found about a live route and checks it anew, at once: something else has shown that it is
 * back. */
void health_renew(struct control *c, const struct session *s, const struct route_entry *route);

/* A new route that nothing was found about yet has its requests all the same, until its first check. */
void health_trust(struct route_state *s);

/* The settings have changed: the same for all routes of all sessions, which serve already. */
void health_sync_all(struct control *c);

/* The route is no longer live: ends its check. */
void health_drop(struct route_state *s);

/* "unknown", "awaited", "healthy", "degraded", "down". */
const char *health_state_name(enum route_health health);

/* A check as it is now, for who asks. Texts live as long as the check. */
struct health_report {
    enum health_kind kind;
    enum route_health state;
    const char *url, *policy; /* NULL when OFF */
    uint64_t interval_ms, timeout_ms;
    const char *reason;      /* a token; NULL: none */
    const char *last_result; /* "passed" or a token; NULL: not checked yet */
    uint64_t last_wall_ms;   /* 0: not checked yet */
    uint64_t last_latency_ms;
    uint64_t since_wall_ms; /* of the state; 0: always */
    double share;           /* of requests, 0 to 1, as far as health decides */
    bool policy_off;        /* it failed too often (script/vm_health.h) */
    bool overdue;           /* no check has ended for three intervals */
    uint64_t checks, failures;
};
void health_report(const struct route_state *s, struct health_report *out);
