/* Methods of a connection's handle. */
#include "base/secret.h"
#include "control/control.h"
#include "control/events.h"
#include "control/probe.h"
#include "control/registry.h"
#include "control/session_limits.h"
#include "script/api.h"
#include "script/vm_state.h"
#include "tls/registry_context.h"

#include <jansson.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static int conn_authorized(lua_State *L)
{
    lua_pushboolean(L, api_connection(L, 1)->authorized);
    return 1;
}

static int conn_auth(lua_State *L)
{
    struct connection *conn = api_connection(L, 1);
    struct slice token = api_slice(L, 2);
    const char *secret = conn->control->settings->registry_token;

    if (secret && !secret_equal(token, slice_str(secret))) {
        registry_auth_failed(conn);
        return api_refuse(L, "unauthorized");
    }
    conn->authorized = true;
    return api_true(L);
}

static int conn_session(lua_State *L)
{
    struct connection *conn = api_connection(L, 1);

    if (!conn->session)
        return 0;
    api_push_session(L, conn->session);
    return 1;
}

static int conn_find(lua_State *L)
{
    struct connection *conn = api_connection(L, 1);
    struct session *s = model_find(&conn->control->model, api_slice(L, 2));
    struct error err;

    if (!s)
        return 0;
    if (!connection_may_be(conn, slice_str(s->service), &err))
        return api_refuse(L, err.text);
    api_push_session(L, s);
    return 1;
}

static int conn_register(lua_State *L)
{
    struct connection *conn = api_connection(L, 1);
    struct slice service = api_slice(L, 2), instance = api_slice(L, 3), metadata = {NULL, 0};
    lua_Integer port = luaL_optinteger(L, 4, 0);
    struct session *s;
    struct error err;

    luaL_argcheck(L, port >= 0 && port <= UINT16_MAX, 4, "not a port");
    if (!lua_isnoneornil(L, 5))
        metadata = api_slice(L, 5);
    if (!connection_may_be(conn, service, &err))
        return api_refuse(L, err.text);
    if (!session_may_register(conn->control, service, instance, metadata, &err))
        return api_refuse(L, err.text);
    s = connection_register(conn, service, instance, (uint16_t)port, metadata);
    api_push_session(L, s);
    return 1;
}

static int conn_reconnect(lua_State *L)
{
    struct connection *conn = api_connection(L, 1);
    struct slice id = api_slice(L, 2);
    struct session *s = model_find(&conn->control->model, id);
    struct error err;

    if (s && !connection_may_be(conn, slice_str(s->service), &err))
        return api_refuse(L, err.text);
    if (s && conn->session != s && !session_may_turn_over(s, &err))
        return api_refuse(L, err.text);
    if (!connection_reconnect(conn, id))
        return 0;
    return api_true(L);
}

static int change_events(lua_State *L, bool add)
{
    struct connection *conn = api_connection(L, 1);
    struct slice type = api_slice(L, 2);
    uint32_t mask = event_mask(type);
    struct error err;

    if (!mask) {
        error_set(&err, "unknown event type: %.*s", SLICE_ARGS(slice_cut(type, 100)));
        return api_refuse(L, err.text);
    }
    if (!conn->session)
        memcpy(conn->watched, api_session(L, 3)->id, sizeof(conn->watched));
    conn->events = add ? conn->events | mask : conn->events & ~mask;
    return api_true(L);
}

static int conn_subscribe(lua_State *L)
{
    return change_events(L, true);
}

static int conn_unsubscribe(lua_State *L)
{
    return change_events(L, false);
}

static int conn_close(lua_State *L)
{
    connection_close(api_connection(L, 1));
    return 0;
}

static int conn_peer(lua_State *L)
{
    char text[ADDRESS_TEXT_SIZE];

    lua_pushlstring(L, text, address_format(&api_connection(L, 1)->peer, text));
    return 1;
}

static int conn_certificate(lua_State *L)
{
    const struct tls_names *names = api_connection(L, 1)->certificate;

    if (!names)
        return 0;
    api_push_texts(L, (const char *const *)names->name, names->count);
    return 1;
}

static json_t *describe_probe(const struct probe_result *r)
{
    json_t *error;

    if (!r->reachable) {
        error = json_string(r->error); /* NULL when it quotes half a character */
        return json_pack("{s:b, s:I, s:o}", "reachable", 0, "response_time_ms",
                         (json_int_t)r->elapsed_ms, "error", error ? error : json_string("failed"));
    }
    return json_pack("{s:b, s:I, s:i, s:b, s:b}", "reachable", 1, "response_time_ms",
                     (json_int_t)r->elapsed_ms, "status_code", r->status, "tls", r->tls,
                     "tls_valid", r->tls_valid);
}

static void on_probed(void *arg, const struct probe_result *result)
{
    struct pending *pending = arg;
    json_t *value = describe_probe(result);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

    pending->probe = NULL;
    vm_complete(&pending, text ? slice_str(text) : SLICE("{\"reachable\":false,\"error\":\"out of memory\"}"));
    json_decref(value);
    free(text);
}

static int conn_probe(lua_State *L)
{
    struct connection *conn = api_connection(L, 1);
    struct slice url = api_slice(L, 2);
    lua_Number timeout = luaL_checknumber(L, 3);
    struct pending *pending;
    struct error err;

    luaL_argcheck(L, timeout >= 1 && timeout <= 600000, 3, "1 to 600000 ms");
    if (!registry_within(conn->control, REGISTRY_LIMIT_WAITING, conn->control->pending_count + 1u, &err))
        return api_refuse(L, err.text);
    pending = vm_start_pending(L);
    pending->probe = probe_start(conn->control, url, NULL, (uint64_t)timeout, on_probed, pending, &err);
    if (pending->probe)
        return api_pending(L);
    vm_drop_pending(pending);
    return api_refuse(L, err.text);
}

static const luaL_Reg methods[] = {
    {"authorized", conn_authorized}, {"auth", conn_auth},
    {"session", conn_session},       {"find", conn_find},
    {"register", conn_register},     {"reconnect", conn_reconnect},
    {"subscribe", conn_subscribe},   {"unsubscribe", conn_unsubscribe},
    {"close", conn_close},           {"peer", conn_peer},
    {"probe", conn_probe},           {"certificate", conn_certificate},
    {NULL, NULL},
};

void api_conn_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
