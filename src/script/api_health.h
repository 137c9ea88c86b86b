/* api_health.h - a route's health check, for ROUTE_STATUS.
 *
 * Thread: control; inside vm_call. */
#pragma once
#include <lua.h>

struct route_state;

/* health = { ... } for the table at the top; nothing for a route that never was live (NULL). */
void api_set_health(lua_State *L, const struct route_state *s);
