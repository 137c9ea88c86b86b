#include "control/health.h"

#include "base/clock.h"
#include "control/circuits.h"
#include "control/control.h"
#include "control/health_check.h"
#include "script/vm_health.h"

#include <string.h>

void health_init(struct control *c)
{
    ASSERT_CONTROL();
    c->health_pace = health_pace_new(c->loop);
}

void health_fini(struct control *c)
{
    ASSERT_CONTROL();
    health_pace_free(c->health_pace);
    c->health_pace = NULL;
}

static void end_check(struct route_state *s)
{
    if (s->health)
        health_check_free(s->health);
    s->health = NULL;
}

static bool asks_the_same(const struct health_plan *a, const struct health_plan *b)
{
    return a->kind == b->kind && a->url && b->url && strcmp(a->url, b->url) == 0 &&
           backend_tls_equal(&a->tls, &b->tls);
}

/* trusted: it may go on with its requests until the check has a first result. */
static void start_check(struct control *c, struct route_state *s, struct health_plan *plan, bool trusted)
{
    bool was_down = route_state_health(s) == ROUTE_HEALTH_DOWN;
    bool awaited;

    end_check(s);
    if (plan->kind != HEALTH_OFF)
        s->health = health_check_new(c, s, plan);
    awaited = s->health && s->health->plan.kind == HEALTH_EXPLICIT && !trusted;
    route_state_set_health(s, awaited ? ROUTE_HEALTH_AWAITED : ROUTE_HEALTH_UNKNOWN, 0);
    if (was_down)
        circuits_unhold(c, s);
}

/* Does the member get requests now, at the same backend? Then another way to check it is no reason to stop. */
static bool serves_already(const struct route_state *s, const struct route_entry *route)
{
    enum route_health health = route_state_health(s);
    size_t len = strlen(route->backend_url);

    while (len > 0 && route->backend_url[len - 1] == '/')
        len--;
    return s->health && s->health->plan.url && strncmp(s->health->plan.url, route->backend_url, len) == 0 &&
           health != ROUTE_HEALTH_DOWN && health != ROUTE_HEALTH_AWAITED;
}

/* trusted: what was not checked so far may go on with its requests. */
static void sync_route(struct control *c, const struct config_set *set,
                       const struct route_entry *route, bool trusted)
{
    struct health_plan plan = health_plan_of(c, set, route);
    struct route_state *s = route->state;

    if (s->health && asks_the_same(&s->health->plan, &plan)) {
        if (!health_plan_equal(&s->health->plan, &plan))
            health_check_replan(s->health, &plan);
        health_plan_fini(&plan);
        return;
    }
    start_check(c, s, &plan, serves_already(s, route) || (trusted && !s->health));
    health_plan_fini(&plan);
}

void health_renew(struct control *c, const struct session *s, const struct route_entry *route)
{
    struct health_plan plan = health_plan_of(c, s->live, route);

    ASSERT_CONTROL();
    start_check(c, route->state, &plan, false);
    health_plan_fini(&plan);
}

void health_trust(struct route_state *s)
{
    ASSERT_CONTROL();
    if (s->health && !s->health->checks && route_state_health(s) == ROUTE_HEALTH_AWAITED)
        route_state_set_health(s, ROUTE_HEALTH_UNKNOWN, 0);
}

void health_sync(struct control *c, const struct config_set *set, const struct route_entry *route)
{
    ASSERT_CONTROL();
    sync_route(c, set, route, false);
}

void health_sync_all(struct control *c)
{
    struct list *node, *tmp, *inner, *inner_tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &c->model.sessions) {
        const struct config_set *live = CONTAINER_OF(node, struct session, link)->live;

        LIST_EACH (inner, inner_tmp, &live->routes)
            sync_route(c, live, CONTAINER_OF(inner, struct route_entry, link), true);
    }
}

void health_drop(struct route_state *s)
{
    ASSERT_CONTROL();
    end_check(s);
}

const char *health_state_name(enum route_health health)
{
    static const char *const names[] = {
        [ROUTE_HEALTH_UNKNOWN] = "unknown", [ROUTE_HEALTH_HEALTHY] = "healthy",
        [ROUTE_HEALTH_AWAITED] = "awaited", [ROUTE_HEALTH_DEGRADED] = "degraded",
        [ROUTE_HEALTH_DOWN] = "down",
    };

    return names[health];
}

/* Without a judgement an unchecked route gets everything, one that is awaited nothing. */
static double share_of(const struct health *h, enum route_health state)
{
    if (state == ROUTE_HEALTH_DEGRADED)
        return h->judgement.share;
    return state == ROUTE_HEALTH_UNKNOWN || state == ROUTE_HEALTH_HEALTHY ? 1 : 0;
}

void health_report(const struct route_state *s, struct health_report *out)
{
    const struct health *h = s->health;

    ASSERT_CONTROL();
    *out = (struct health_report){.state = route_state_health(s)};
    out->share = share_of(h, out->state);
    if (!h)
        return;
    out->kind = h->plan.kind;
    out->url = h->plan.url;
    out->policy = health_check_policy(h);
    out->policy_off = vm_policy_off(h->control->vm, out->policy);
    out->interval_ms = h->plan.interval_ms;
    out->timeout_ms = h->plan.timeout_ms;
    out->reason = h->judgement.reason[0] ? h->judgement.reason : NULL;
    out->last_result = h->last_result[0] ? h->last_result : NULL;
    out->last_wall_ms = h->last_wall_ms;
    out->last_latency_ms = h->last_latency_ms;
    out->since_wall_ms = h->since_wall_ms;
    out->overdue = health_check_overdue(h, clock_ms());
    out->checks = h->checks;
    out->failures = h->failures;
}
