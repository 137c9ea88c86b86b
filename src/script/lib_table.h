/* lib_table.h - the functions of table that scripts see in the place of Lua's own.
 *
 * concat, insert and sort give what Lua's do; they end with the call's time.
 *
 * Thread: the state's. */
#pragma once
#include <lua.h>

/* Replaces functions of the table table at the top of the stack. */
void lib_table_open(lua_State *L);
