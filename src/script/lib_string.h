/* lib_string.h - the functions of string that scripts see in the place of Lua's own.
 *
 * find, match, gmatch, gsub and rep give what Lua's do; they end with the call's time and make no
 * text longer than VM_TEXT_MAX.
 *
 * Thread: the state's. */
#pragma once
#include <lua.h>

/* Replaces functions of the table string at the top of the stack. */
void lib_string_open(lua_State *L);
