/* Methods of a session's handle about one route: its runtime state and its statistics. */
#include "config/options.h"
#include "control/control.h"
#include "guard/ratelimit.h"
#include "control/resolve.h"
#include "script/api.h"
#include "script/api_health.h"
#include "script/hook.h"

#include <lauxlib.h>
#include <string.h>

const struct route_entry *api_find_route(const struct session *s, struct slice id)
{
    const struct route_entry *route = config_set_route(s->live, id);

    return route ? route : config_set_route(session_view(s), id);
}

static void sum(const struct route_entry *route, struct route_totals *totals)
{
    memset(totals, 0, sizeof(*totals));
    if (route->state)
        route_state_sum(route->state, totals);
}

static const char *status_of(const struct session *s, const struct route_entry *route)
{
    const struct route_entry *live = config_set_route(s->live, slice_str(route->id));
    const struct route_entry *view = config_set_route(session_view(s), slice_str(route->id));

    if (!view)
        return "pending_removal";
    return live && route_entry_equal(live, view) ? "active" : "staged";
}

static const char *session_text(const struct session *s)
{
    switch (s->standing) {
    case SESSION_CONNECTED:
        return "connected";
    case SESSION_DISCONNECTED:
        return "disconnected";
    case SESSION_SUPERSEDED:
        return "superseded";
    case SESSION_STATIC:
        break;
    }
    return "static";
}

static void set_domains(lua_State *L, const struct route_entry *route)
{
    lua_createtable(L, (int)route->domain_count, 0);
    for (unsigned i = 0; i < route->domain_count; i++) {
        lua_pushstring(L, route->domains[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "domains");
}

/* The addresses that requests go to, with the URL's port. */
static void set_addresses(lua_State *L, const struct route_entry *route)
{
    char text[ADDRESS_TEXT_SIZE];
    const struct address *addresses = NULL;
    unsigned count = 0;

    if (route->name)
        addresses = resolve_addresses(route->name, &count);
    lua_createtable(L, (int)count, 0);
    for (unsigned i = 0; i < count; i++) {
        address_format_ip(&addresses[i], text);
        lua_pushfstring(L, strchr(text, ':') ? "[%s]:%d" : "%s:%d", text, (int)route->url.port);
        lua_rawseti(L, -2, (int)i + 1);
    }
    if (route->url.host_is_ip) {
        memcpy(text, route->url.host.data, route->url.host.len);
        text[route->url.host.len] = '\0';
        lua_pushfstring(L, strchr(text, ':') ? "[%s]:%d" : "%s:%d", text, (int)route->url.port);
        lua_rawseti(L, -2, 1);
    }
    lua_setfield(L, -2, "addresses");
}

static const char *resolve_text(const struct route_entry *route)
{
    if (route->url.host_is_ip)
        return "address";
    return route->name ? resolve_status(route->name) : "not applied";
}

static void set_setting(void *arg, const struct setting_entry *setting)
{
    api_set_text(arg, setting->key, setting->value);
}

/* What holds for the route by scope. */
static void set_settings(lua_State *L, const struct config_set *set, const char *id)
{
    lua_createtable(L, 0, SCOPES - 1);
    for (unsigned scope = SCOPE_HEADERS; scope < SCOPES; scope++) {
        if (scope == SCOPE_HEADERS || scope == SCOPE_OPTIONS) {
            lua_newtable(L);
            config_set_each_effective(set, (enum scope)scope, id, set_setting, L);
            lua_setfield(L, -2, scope_names[scope]);
        } else {
            api_set_text(L, scope_names[scope], config_set_value(set, (enum scope)scope, id, ""));
        }
    }
    lua_setfield(L, -2, "settings");
}

/* Appends to the list at the top. */
static void append_text(lua_State *L, const char *prefix, const char *text)
{
    lua_pushfstring(L, "%s%s", prefix, text);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
}

static void append_idle_option(void *arg, const struct setting_entry *setting)
{
    const struct option_info *option = option_find(slice_str(setting->key));

    if (option && !option->in_effect)
        append_text(arg, "option ", setting->key);
}

/* What holds for the route, but nothing acts on yet. */
static void set_not_in_effect(lua_State *L, const struct config_set *set, const char *id)
{
    lua_newtable(L);
    config_set_each_effective(set, SCOPE_OPTIONS, id, append_idle_option, L);
    lua_setfield(L, -2, "not_in_effect");
}

static void set_counters(lua_State *L, const struct route_totals *totals)
{
    api_set_number(L, "requests", (double)totals->requests);
    api_set_number(L, "errors", (double)totals->errors);
    api_set_number(L, "policy_failures", (double)totals->policy_failures);
    api_set_number(L, "policy_skipped", (double)totals->policy_skipped);
}

/* Is the request policy that the route names switched off? */
static void set_policy_off(lua_State *L, const struct session *s, const struct config_set *set,
                           const char *id)
{
    const char *policy = config_set_value(set, SCOPE_OPTIONS, id, "policy");

    api_set_flag(L, "policy_off", policy && hook_is_off(s->control->bundle, slice_str(policy)));
}

static int session_route_status(lua_State *L)
{
    struct session *s = api_session(L, 1);
    const struct route_entry *route = api_find_route(s, api_slice(L, 2));
    const struct config_set *set;
    struct route_totals totals;

    if (!route)
        return api_refuse(L, "route not found");
    set = config_set_route(s->live, slice_str(route->id)) ? s->live : session_view(s);
    sum(route, &totals);
    lua_createtable(L, 0, 20);
    api_set_text(L, "route_id", route->id);
    api_set_text(L, "status", status_of(s, route));
    set_domains(L, route);
    api_set_text(L, "path", route->path);
    api_set_text(L, "backend", route->backend_url);
    api_set_number(L, "priority", route->priority);
    if (route->state)
        api_set_text(L, "standing",
                     route_state_session(route->state) == ROUTE_CONNECTED ? "full" : "last_resort");
    api_set_text(L, "session", session_text(s));
    set_addresses(L, route);
    api_set_text(L, "resolve_status", resolve_text(route));
    set_counters(L, &totals);
    set_policy_off(L, s, set, route->id);
    api_set_number(L, "in_flight", (double)totals.in_flight);
    api_set_number(L, "tunnels_open", (double)totals.tunnels_open);
    api_set_number(L, "connects", (double)totals.connects);
    api_set_number(L, "connect_errors", (double)totals.connect_errors);
    api_set_number(L, "retries", (double)totals.retries);
    api_set_effective(L, route);
    api_set_health(L, route->state);
    set_settings(L, set, route->id);
    set_not_in_effect(L, set, route->id);
    return 1;
}

static void set_statuses(lua_State *L, const struct route_totals *totals)
{
    char code[16];

    lua_newtable(L);
    for (int i = 0; i < STATUS_SLOTS; i++) {
        if (!totals->statuses[i])
            continue;
        snprintf(code, sizeof(code), "%d", STATUS_MIN + i);
        api_set_number(L, code, (double)totals->statuses[i]);
    }
    lua_setfield(L, -2, "status_codes");
}

static void set_latencies(lua_State *L, const struct histogram_sum *h)
{
    api_set_number(L, "avg_latency_ms", h->count ? (double)(h->sum_us / h->count) / 1000.0 : 0);
    api_set_number(L, "p50_latency_ms", (double)histogram_percentile(h, 0.50) / 1000.0);
    api_set_number(L, "p95_latency_ms", (double)histogram_percentile(h, 0.95) / 1000.0);
    api_set_number(L, "p99_latency_ms", (double)histogram_percentile(h, 0.99) / 1000.0);
}

static void set_rejected(lua_State *L, const struct route_totals *totals)
{
    lua_createtable(L, 0, 7);
    api_set_number(L, "drain", (double)totals->turned_by_drain);
    api_set_number(L, "maintenance", (double)totals->turned_by_maintenance);
    api_set_number(L, "circuit", (double)totals->turned_by_circuit);
    api_set_number(L, "health", (double)totals->turned_by_health);
    api_set_number(L, "ratelimit", (double)totals->turned_by_ratelimit);
    api_set_number(L, "tunnels", (double)totals->turned_by_tunnels);
    api_set_number(L, "requests", (double)totals->turned_by_requests);
    lua_setfield(L, -2, "rejected");
    api_set_number(L, "ratelimit_shadowed", (double)totals->shadowed_by_ratelimit);
    api_set_number(L, "panicked", (double)totals->panicked);
    api_set_number(L, "probes", (double)totals->probes);
}

static void set_compression(lua_State *L, const struct route_totals *totals)
{
    lua_createtable(L, 0, 4);
    api_set_number(L, "responses", (double)totals->compressed);
    api_set_number(L, "bytes_in", (double)totals->compressed_in);
    api_set_number(L, "bytes_out", (double)totals->compressed_out);
    api_set_number(L, "skipped", (double)totals->compress_skipped);
    lua_setfield(L, -2, "compression");
}

static int session_stats(lua_State *L)
{
    struct session *s = api_session(L, 1);
    const struct route_entry *route = api_find_route(s, api_slice(L, 2));
    struct route_totals totals;

    if (!route)
        return api_refuse(L, "route not found");
    sum(route, &totals);
    lua_createtable(L, 0, 12);
    api_set_text(L, "route_id", route->id);
    set_counters(L, &totals);
    set_latencies(L, &totals.latency);
    api_set_number(L, "bytes_sent", (double)totals.bytes_sent);
    api_set_number(L, "bytes_received", (double)totals.bytes_received);
    api_set_number(L, "tunnels", (double)totals.tunnels);
    api_set_number(L, "tunnels_open", (double)totals.tunnels_open);
    set_statuses(L, &totals);
    set_rejected(L, &totals);
    set_compression(L, &totals);
    api_set_number(L, "ratelimit_evicted",
                   (double)ratelimit_evicted(s->control->shared.ratelimit));
    return 1;
}

static const luaL_Reg methods[] = {
    {"route_status", session_route_status},
    {"stats", session_stats},
    {NULL, NULL},
};

void api_route_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
