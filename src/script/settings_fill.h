/* settings_fill.h - from the checked configuration, a Lua table, to C structures.
 *
 * Thread: control; called inside vm_call, and raises when lua/config hands over what the schema
 * does not promise, which is a bug. What was filled until then belongs to the structures. */
#pragma once
#include "base/check.h"
#include "config/settings.h"
#include <lua.h>
#include <stdio.h>

struct config_set;

/* Fills s from the table of dotted paths at the top of the stack. */
void settings_fill(lua_State *L, struct settings *s);

/* Adds the list of routes at the top of the stack to set. Refusals go to problems, a line each,
 * with path and line; line_of: the index of the function that knows the line of a place in the file. */
void settings_fill_routes(lua_State *L, struct config_set *set, int line_of, const char *path, FILE *problems);
