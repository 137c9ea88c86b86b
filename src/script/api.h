/* api.h - what Lua code gets from C, and how handles become pointers.
 *
 * Scripts hold handles: userdata with the serial of a connection or the id of a session, looked up
 * at every use; one whose connection or session is gone raises "stale handle". Misuse raises; what
 * can be refused in the normal course of things returns nil and the reason. A function checks all
 * its arguments first, then acts in C that cannot raise, then pushes its results.
 *
 * Thread: control; all functions run inside vm_call. */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include <lua.h>

struct connection;
struct route_entry;
struct session;
struct vm;

/* Makes the state vm's, registers the handles, pushes the table host of the registry's VM. */
void api_open(lua_State *L, struct vm *vm);

void api_push_connection(lua_State *L, const struct connection *conn);
void api_push_session(lua_State *L, const struct session *s);

/* The connection or session of the handle at an index; raises for a stale one. */
struct connection *api_connection(lua_State *L, int index);
struct session *api_session(lua_State *L, int index);

/* The string at an index; raises for anything else, numbers too. */
struct slice api_slice(lua_State *L, int index);

/* Returns of a function: true; nil and the reason; the sign that the answer comes later. */
int api_true(lua_State *L);
int api_refuse(lua_State *L, const char *reason);
int api_pending(lua_State *L);

/* t[key] = value for the table at the top. */
void api_set_text(lua_State *L, const char *key, const char *value); /* NULL: nothing is set */
void api_set_number(lua_State *L, const char *key, double value);
void api_set_flag(lua_State *L, const char *key, bool value);

/* Pushes a list of texts. */
void api_push_texts(lua_State *L, const char *const *texts, unsigned count);

/* A route as it is live, else as it is staged; NULL: there is none. */
const struct route_entry *api_find_route(const struct session *s, struct slice id);

/* t.effective = what the route's state means for requests at this moment; nothing for one that is not live. */
void api_set_effective(lua_State *L, const struct route_entry *route);

/* Adds functions to the table at the top. */
void api_conn_open(lua_State *L);    /* methods of connections, api_conn.c */
void api_session_open(lua_State *L); /* of sessions: staging and applying, api_session.c */
void api_state_open(lua_State *L);   /* of sessions: what they have, api_state.c */
void api_route_open(lua_State *L);   /* of sessions: one route's runtime state, api_route.c */
void api_circuit_open(lua_State *L); /* of sessions: circuits, api_circuit.c */
void api_drain_open(lua_State *L);   /* of sessions: draining, api_drain.c */
void api_maintenance_open(lua_State *L); /* of sessions: api_maintenance.c */
void api_scripts_open(lua_State *L); /* of connections: the scripts themselves, api_scripts.c */
void api_certificates_open(lua_State *L); /* of connections: TLS, api_certificates.c */
void api_proxy_open(lua_State *L); /* of connections: what the proxy counts, api_proxy.c */
void api_json_open(lua_State *L);    /* of host: JSON, api_json.c */
void api_host_open(lua_State *L);    /* of host: in every VM, api_host.c */
void api_text_open(lua_State *L);    /* of host: log, time, api_text.c */
