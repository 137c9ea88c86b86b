/* Methods of a session's handle about circuits, and what a route's state means for requests. */
#include "base/clock.h"
#include "config/member_state.h"
#include "control/circuits.h"
#include "control/control.h"
#include "control/maintenance.h"
#include "control/panic.h"
#include "control/publish.h"
#include "script/api.h"

#include <lauxlib.h>

/* A moment on the monotonic clock as one on the wall; nothing for 0. */
static void set_moment(lua_State *L, const char *key, uint64_t ms)
{
    if (ms)
        api_set_number(L, key, (double)clock_wall_ms() + (double)ms - (double)clock_ms());
}

static bool takes_traffic(const struct route_state *s)
{
    enum route_health health = route_state_health(s);

    return health != ROUTE_HEALTH_DOWN && health != ROUTE_HEALTH_AWAITED;
}

/* In a row: what a circuit decides by. */
static uint64_t successes(const struct route_state *s, const struct circuit_status *status)
{
    uint64_t all, before;

    if (status->phase != CIRCUIT_CLOSED)
        return status->successes;
    all = route_state_successes(s);
    before = atomic_load_explicit(&s->successes_before, memory_order_relaxed);
    return status->failures || all < before ? 0 : all - before;
}

static void set_drain(lua_State *L, const struct route_state *s)
{
    struct route_drain drain = route_state_drain(s);
    uint64_t end_ms = drain.start_ms + drain.length_ms, now_ms = clock_ms();

    api_set_flag(L, "draining", drain.start_ms != 0);
    if (!drain.start_ms)
        return;
    set_moment(L, "drain_started_at_ms", drain.start_ms);
    api_set_number(L, "drain_remaining_seconds",
                   (double)(end_ms > now_ms ? (end_ms - now_ms + 999) / 1000 : 0));
}

static int session_circuit_status(lua_State *L)
{
    struct session *s = api_session(L, 1);
    const struct route_entry *route = api_find_route(s, api_slice(L, 2));
    struct route_totals totals = {0};
    struct circuit_status status = {0};
    const struct member *m = NULL;

    if (!route)
        return api_refuse(L, "route not found");
    lua_createtable(L, 0, 16);
    if (route->state) {
        circuit_read(&route->state->circuit, clock_ms(), &status);
        route_state_sum(route->state, &totals);
        m = snapshot_member(publish_newest(s->control), route->state);
        api_set_number(L, "successes", (double)successes(route->state, &status));
        set_drain(L, route->state);
    }
    api_set_text(L, "state", circuit_phase_text(status.phase));
    api_set_number(L, "failures", status.failures);
    api_set_flag(L, "healthy", !route->state || takes_traffic(route->state));
    set_moment(L, "opened_at_ms", status.opened_ms);
    set_moment(L, "last_failure_ms", status.last_failure_ms);
    set_moment(L, "next_attempt_ms", status.until_ms);
    api_set_flag(L, "in_maintenance", m && m->maintenance);
    api_set_number(L, "maintenance_hits", (double)totals.turned_by_maintenance);
    api_set_number(L, "drain_rejected", (double)totals.turned_by_drain);
    return 1;
}

static int session_circuit_reset(lua_State *L)
{
    struct session *s = api_session(L, 1);
    const struct route_entry *route = api_find_route(s, api_slice(L, 2));

    if (!route)
        return api_refuse(L, "route not found");
    if (route->state)
        circuits_reset(s->control, route->state);
    return api_true(L);
}

/* Until when a member gets nothing, as far as that is known. */
static void set_until(lua_State *L, const struct session *s, const struct member *m, enum verdict why)
{
    struct maintenance_status maintenance;
    struct circuit_status circuit;

    if (why == VERDICT_CIRCUIT_OPEN) {
        circuit_read(&m->state->circuit, clock_ms(), &circuit);
        set_moment(L, "until_ms", circuit.until_ms);
    } else if (why == VERDICT_MAINTENANCE) {
        maintenance_status(s, &maintenance);
        if (maintenance.expected_end_wall_ms)
            api_set_number(L, "until_ms", (double)maintenance.expected_end_wall_ms);
    }
}

static double share_percent(const struct member_state *state, enum effective_use use)
{
    double passes = state->passes * 100. / EFFECTIVE_ALL;

    if (use == EFFECTIVE_USE_NONE)
        return 0;
    return use == EFFECTIVE_USE_SHARED ? passes * state->share / EFFECTIVE_ALL : passes;
}

void api_set_effective(lua_State *L, const struct route_entry *route)
{
    struct session *s = route->state ? route->state->session : NULL;
    const struct member *m =
        s ? snapshot_member(publish_newest(s->control), route->state) : NULL;
    const struct effective_rule *rule;
    struct member_state state;

    if (!m)
        return;
    member_state_read(m, clock_ms(), &state);
    if (state.draining && !state.passes)
        state.facts ^= EFFECTIVE_DRAIN_PASSED | EFFECTIVE_DRAIN_TURNED;
    rule = effective_of(state.facts);
    lua_createtable(L, 0, 5);
    api_set_flag(L, "panic", m->fail_open && panic_holds(s->control, route->state));
    api_set_text(L, "use", effective_use_name(rule->use));
    api_set_number(L, "share_percent", share_percent(&state, rule->use));
    if (rule->verdict != VERDICT_PASS)
        api_set_text(L, "reason", verdict_table[rule->verdict].name.data);
    set_until(L, s, m, rule->verdict);
    lua_setfield(L, -2, "effective");
}

static const luaL_Reg methods[] = {
    {"circuit_status", session_circuit_status},
    {"circuit_reset", session_circuit_reset},
    {NULL, NULL},
};

void api_circuit_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
