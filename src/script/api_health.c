#include "script/api_health.h"

#include "control/health.h"
#include "script/api.h"

/* A wall clock time; nothing for one that never was. */
static void set_time(lua_State *L, const char *key, uint64_t wall_ms)
{
    if (wall_ms)
        api_set_number(L, key, (double)wall_ms);
}

static void set_check(lua_State *L, const struct health_report *r)
{
    api_set_text(L, "url", r->url);
    api_set_text(L, "policy", r->policy);
    api_set_flag(L, "policy_off", r->policy_off);
    api_set_number(L, "interval_seconds", (double)r->interval_ms / 1e3);
    api_set_number(L, "timeout_seconds", (double)r->timeout_ms / 1e3);
    api_set_text(L, "last_result", r->last_result);
    set_time(L, "last_check_ms", r->last_wall_ms);
    if (r->last_wall_ms)
        api_set_number(L, "last_latency_ms", (double)r->last_latency_ms);
    set_time(L, "since_ms", r->since_wall_ms);
}

void api_set_health(lua_State *L, const struct route_state *s)
{
    struct health_report r;

    if (!s)
        return;
    health_report(s, &r);
    lua_createtable(L, 0, 16);
    api_set_text(L, "state", health_state_name(r.state));
    api_set_text(L, "reason", r.reason);
    api_set_text(L, "kind", health_kind_name(r.kind));
    if (r.kind != HEALTH_OFF)
        set_check(L, &r);
    api_set_number(L, "share_percent", r.share * 100);
    api_set_flag(L, "overdue", r.overdue);
    api_set_number(L, "checks", (double)r.checks);
    api_set_number(L, "failures", (double)r.failures);
    lua_setfield(L, -2, "health");
}
