/* health_plan.h - which check a route gets, from what holds for it.
 *
 * A HEALTH_SET, else the option health_check_path, makes an explicit check of backend + path, which
 * passes with any 2xx. Without both it is the default one: the backend URL itself, which passes
 * with any answer below 500. HEALTH_SET brings its times; else the options do, else 30 s and 5 s.
 *
 * Thread: control. Ownership: a plan owns its texts. */
#pragma once
#include "control/backend_tls.h"
#include <stdbool.h>
#include <stdint.h>

struct config_set;
struct control;
struct route_entry;

enum {
    HEALTH_INTERVAL_MS = 30 * 1000,
    HEALTH_INTERVAL_MIN_MS = 10, /* shorter ones count as this */
    HEALTH_TIMEOUT_MS = 5 * 1000,
    HEALTH_POLICY_SIZE = 65
};

enum health_kind { HEALTH_OFF, HEALTH_DEFAULT, HEALTH_EXPLICIT };

struct health_plan {
    enum health_kind kind;
    char *url; /* NULL when OFF */
    struct backend_tls_choice tls; /* how the backend's certificate is verified; its texts are the plan's */
    uint64_t interval_ms, timeout_ms;
    char policy[HEALTH_POLICY_SIZE]; /* as wanted; the check takes "default" for one there is not */
};

/* "off", "default", "explicit". */
const char *health_kind_name(enum health_kind kind);

/* The plan of a route of set. */
struct health_plan health_plan_of(const struct control *c, const struct config_set *set,
                                  const struct route_entry *route);
void health_plan_fini(struct health_plan *plan);

bool health_plan_equal(const struct health_plan *a, const struct health_plan *b);

/* Does this HTTP status pass? */
bool health_plan_passes(const struct health_plan *plan, int status);
