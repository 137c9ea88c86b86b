#include "control/health_plan.h"

#include "base/need.h"
#include "control/config_set.h"
#include "control/control.h"

#include <stdlib.h>

const char *health_kind_name(enum health_kind kind)
{
    static const char *const names[] = {
        [HEALTH_OFF] = "off", [HEALTH_DEFAULT] = "default", [HEALTH_EXPLICIT] = "explicit"};

    return names[kind];
}

/* The value of an option that holds for a route, or NULL. */
static const char *option(const struct config_set *set, const struct route_entry *route,
                          enum option_id id)
{
    return config_set_value(set, SCOPE_OPTIONS, route->id, option_table[id].key);
}

/* A time from an option; without it, or with 0, the standard one. */
static uint64_t option_ms(const struct config_set *set, const struct route_entry *route,
                          enum option_id id, uint64_t standard_ms)
{
    const char *text = option(set, route, id);
    union option_value value = {0};
    struct error err;

    if (text)
        CHECK(option_parse(&option_table[id], slice_str(text), &value, &err));
    return value.number ? value.number : standard_ms;
}

/* A whole number in ms, as HEALTH_SET was checked to have. */
static uint64_t take_ms(struct slice *rest)
{
    struct slice part;
    uint64_t ms = 0;

    CHECK(slice_split(rest, '|', &part));
    for (size_t i = 0; i < part.len; i++)
        ms = ms * 10 + (uint64_t)(part.data[i] - '0');
    return ms;
}

/* Backend, whose last slash the path brings along, and path. */
static char *join_url(const struct route_entry *route, struct slice path)
{
    size_t len = strlen(route->backend_url);
    char *url;

    while (path.len && len && route->backend_url[len - 1] == '/')
        len--;
    url = need_printf("%.*s%.*s", (int)len, route->backend_url, SLICE_ARGS(path));
    return url;
}

static struct backend_tls_choice tls_of(const struct config_set *set, const struct route_entry *route)
{
    struct backend_tls_choice choice = backend_tls_choose(route->state->session, set, route->id);

    return backend_tls_copy(&choice);
}

struct health_plan health_plan_of(const struct control *c, const struct config_set *set,
                                  const struct route_entry *route)
{
    struct health_plan plan = {.kind = HEALTH_DEFAULT};
    const char *own = config_set_value(set, SCOPE_HEALTH, route->id, "");
    struct slice rest = slice_str(own),
                 path = slice_str(option(set, route, OPTION_HEALTH_CHECK_PATH));
    const char *policy = option(set, route, OPTION_HEALTH_POLICY);

    if (!c->settings->health_checks) {
        plan.kind = HEALTH_OFF;
        return plan;
    }
    if (own) {
        CHECK(slice_split(&rest, '|', &path));
        plan.interval_ms = take_ms(&rest);
        plan.timeout_ms = take_ms(&rest);
    } else {
        plan.interval_ms = option_ms(set, route, OPTION_HEALTH_CHECK_INTERVAL, HEALTH_INTERVAL_MS);
        plan.timeout_ms = option_ms(set, route, OPTION_HEALTH_CHECK_TIMEOUT, HEALTH_TIMEOUT_MS);
    }
    if (plan.interval_ms < HEALTH_INTERVAL_MIN_MS)
        plan.interval_ms = HEALTH_INTERVAL_MIN_MS;
    if (path.data)
        plan.kind = HEALTH_EXPLICIT;
    plan.url = join_url(route, path.data ? path : SLICE(""));
    if (url_is_tls(&route->url))
        plan.tls = tls_of(set, route);
    snprintf(plan.policy, sizeof(plan.policy), "%s", policy ? policy : "default");
    return plan;
}

void health_plan_fini(struct health_plan *plan)
{
    free(plan->url);
    backend_tls_choice_fini(&plan->tls);
    *plan = (struct health_plan){0};
}

bool health_plan_equal(const struct health_plan *a, const struct health_plan *b)
{
    return a->kind == b->kind && a->interval_ms == b->interval_ms &&
           a->timeout_ms == b->timeout_ms && backend_tls_equal(&a->tls, &b->tls) &&
           strcmp(a->policy, b->policy) == 0 &&
           (a->url == b->url || strcmp(a->url, b->url) == 0);
}

bool health_plan_passes(const struct health_plan *plan, int status)
{
    if (plan->kind == HEALTH_EXPLICIT)
        return status >= 200 && status <= 299;
    return status < 500;
}
