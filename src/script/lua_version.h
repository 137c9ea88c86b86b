/* lua_version.h - which Lua the scripts run in.
 *
 * Thread: any. */
#pragma once

/* "LuaJIT 2.1.0-beta3"; static text. */
const char *lua_version(void);
