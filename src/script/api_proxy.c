/* Methods of a connection's handle about the proxy as a whole: everything it counts, and how near its limits are. */
#include "base/clock.h"
#include "base/log.h"
#include "control/connection.h"
#include "control/control.h"
#include "control/registry.h"
#include "control/scripts.h"
#include "script/api.h"
#include "script/bundle.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

/* t[key] += count, if there is any. */
static void add_count(lua_State *L, struct slice key, uint64_t count)
{
    lua_Number before;

    if (!count)
        return;
    lua_pushlstring(L, key.data, key.len);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    before = lua_tonumber(L, -1); /* 0 for nil */
    lua_pop(L, 1);
    lua_pushnumber(L, before + (lua_Number)count);
    lua_rawset(L, -3);
}

/* In small letters. */
static struct slice small(const char *name, char *out, size_t size)
{
    size_t len = strlen(name);

    CHECK(len <= size);
    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)name[i]);
    return slice_of(out, len);
}

/* Requests that nobody could answer any more, as one end or the other had gone. */
static bool breaks_off(enum verdict verdict)
{
    return verdict == VERDICT_CLIENT_GONE || verdict == VERDICT_RESPONSE_CUT;
}

/* t[key] = verdicts by name. */
static void set_verdicts(lua_State *L, const char *key, const struct worker_counts *sum, bool broken_off)
{
    lua_newtable(L);
    for (unsigned i = 0; i < VERDICT_COUNT; i++) {
        if (i != VERDICT_PASS && breaks_off((enum verdict)i) == broken_off)
            add_count(L, verdict_table[i].name, sum->verdicts[i]);
    }
    lua_setfield(L, -2, key);
}

static void set_closed(lua_State *L, const struct worker_counts *sum)
{
    char name[64];

    lua_newtable(L);
    for (unsigned i = 0; i < CLOSE_REASON_COUNT; i++)
        add_count(L, small(close_reason_name((enum close_reason)i), name, sizeof(name)), sum->closed[i]);
    lua_setfield(L, -2, "closed");
}

static void set_connections(lua_State *L, const struct worker_counts *sum)
{
    lua_createtable(L, 0, 7);
    api_set_number(L, "open", (double)sum->clients);
    api_set_number(L, "open_tls", (double)sum->secure_clients);
    api_set_number(L, "open_http2", (double)sum->sessions_open);
    api_set_number(L, "accepted", (double)sum->accepted);
    api_set_number(L, "accept_pauses", (double)sum->accept_pauses);
    api_set_number(L, "http2", (double)sum->sessions);
    api_set_number(L, "http2_streams", (double)sum->streams);
    lua_setfield(L, -2, "connections");
}

static void set_handshakes(lua_State *L, uint64_t done, uint64_t resumed, uint64_t failed)
{
    lua_createtable(L, 0, 3);
    api_set_number(L, "done", (double)done);
    api_set_number(L, "resumed", (double)resumed);
    api_set_number(L, "failed", (double)failed);
    lua_setfield(L, -2, "handshakes");
}

/* t.sessions and t.routes: how many, by standing; live and staged. */
static void set_sessions(lua_State *L, const struct model *m)
{
    unsigned standings[SESSION_STATIC + 1] = {0}, live = 0, staged = 0;
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &m->sessions) {
        const struct session *s = CONTAINER_OF(node, struct session, link);

        standings[s->standing]++;
        live += config_set_route_count(s->live);
        staged += s->draft ? config_set_route_count(s->draft) : 0;
    }
    lua_createtable(L, 0, 3);
    api_set_number(L, "connected", standings[SESSION_CONNECTED]);
    api_set_number(L, "disconnected", standings[SESSION_DISCONNECTED]);
    api_set_number(L, "superseded", standings[SESSION_SUPERSEDED]);
    lua_setfield(L, -2, "sessions");
    lua_createtable(L, 0, 2);
    api_set_number(L, "live", live);
    api_set_number(L, "staged", staged);
    lua_setfield(L, -2, "routes");
}

static void set_registry(lua_State *L, const struct control *c)
{
    const struct registry_counts *counts = &c->counts;

    lua_createtable(L, 0, 14);
    api_set_number(L, "connections", registry_count(c));
    api_set_number(L, "accepted", (double)counts->accepted);
    set_sessions(L, &c->model);
    api_set_number(L, "sessions_dropped", (double)counts->sessions_dropped);
    api_set_number(L, "lines", (double)counts->lines);
    api_set_number(L, "bad_lines", (double)counts->bad_lines);
    api_set_number(L, "events", (double)counts->events);
    api_set_number(L, "auth_failures", (double)counts->auth_failures);
    api_set_number(L, "auth_delayed", (double)counts->auth_delayed);
    set_handshakes(L, counts->handshakes, 0, counts->handshakes_failed);
    lua_newtable(L);
    for (unsigned i = 0; i < CONNECTION_END_COUNT; i++)
        add_count(L, slice_str(connection_end_name((enum connection_end)i)), counts->ended[i]);
    lua_setfield(L, -2, "closed");
    lua_setfield(L, -2, "registry");
}

/* used below 0: nobody counts it. */
static void set_limit(lua_State *L, const char *name, double used, double limit, double refused)
{
    lua_createtable(L, 0, 3);
    if (used >= 0)
        api_set_number(L, "used", used);
    api_set_number(L, "limit", limit);
    api_set_number(L, "refused", refused);
    lua_setfield(L, -2, name);
}

/* Those of workers; used and limit over all of them. */
static void set_worker_limits(lua_State *L, const struct control *c, const struct worker_counts *sum)
{
    const struct settings *s = c->settings;
    const struct room_counts *counts = c->shared.counts;

    set_limit(L, "connections", (double)quota_used(&counts->clients),
              (double)(s->connections ? s->connections : c->shared.clients_most), (double)sum->accept_pauses);
    set_limit(L, "descriptors", (double)quota_used(&counts->descriptors), (double)c->shared.descriptors_most,
              (double)(sum->closed[CLOSE_MADE_ROOM] + sum->verdicts[VERDICT_NO_DESCRIPTOR]));
    set_limit(L, "probes", probe_places_used(&c->probe_places), (double)c->probe_places.most * PROBE_LANES,
              (double)c->probe_places.waited);
    set_limit(L, "connections_per_address", -1, (double)s->connections_per_address,
              (double)sum->closed[CLOSE_ADDRESS_FULL]);
    set_limit(L, "buffer_memory", (double)sum->memory, (double)(s->buffer_memory * c->worker_count),
              (double)sum->verdicts[VERDICT_BUFFERS_FULL]);
}

static void set_limits(lua_State *L, const struct control *c, const struct worker_counts *sum)
{
    lua_newtable(L);
    set_worker_limits(L, c, sum);
    for (unsigned i = 0; i < REGISTRY_LIMIT_COUNT; i++) {
        enum registry_limit limit = (enum registry_limit)i;

        set_limit(L, registry_limit_name(limit), (double)registry_limit_used(c, limit),
                  (double)registry_limit_value(c, limit), (double)c->counts.refused[i]);
    }
    lua_setfield(L, -2, "limits");
}

/* conn:proxy_status(): counts since the start, summed over all workers, and what is now. */
static int conn_proxy_status(lua_State *L)
{
    const struct control *c = api_connection(L, 1)->control;
    struct worker_counts sum;

    control_count(c, &sum);
    lua_createtable(L, 0, 14);
    api_set_text(L, "version", TIDELOCK_VERSION);
    api_set_number(L, "uptime_ms", (double)(clock_ms() - c->started_ms));
    api_set_number(L, "workers", c->worker_count);
    set_connections(L, &sum);
    api_set_number(L, "requests", (double)sum.requests);
    set_verdicts(L, "refused", &sum, false);
    set_verdicts(L, "broken_off", &sum, true);
    set_closed(L, &sum);
    set_handshakes(L, sum.handshakes, sum.resumed, sum.handshakes_failed);
    set_registry(L, c);
    set_limits(L, c, &sum);
    api_set_number(L, "buffer_bytes", (double)sum.memory);
    api_set_number(L, "bodies_waited", (double)sum.bodies_waited);
    api_set_number(L, "log_lines_dropped", (double)log_dropped());
    api_set_number(L, "scripts_generation", (double)c->scripts->serving->generation);
    return 1;
}

static const luaL_Reg methods[] = {
    {"proxy_status", conn_proxy_status},
    {NULL, NULL},
};

void api_proxy_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
