/* lib_base.h - the globals that scripts see in the place of Lua's own: pcall, xpcall, getmetatable,
 * print, and os.date.
 *
 * pcall and xpcall let the end of a call's time through. os.date takes short formats alone.
 *
 * Thread: the state's. */
#pragma once
#include <lua.h>

/* Replaces functions of the table of globals at the top of the stack. */
void lib_base_open(lua_State *L);
