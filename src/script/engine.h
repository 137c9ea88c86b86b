/* engine.h - what the scripts run in.
 *
 * Thread: any. */
#pragma once

/* Name and version of the Lua implementation, "LuaJIT 2.1.0-beta3". Static text. */
const char *engine_version(void);
