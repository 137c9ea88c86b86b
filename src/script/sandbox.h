/* sandbox.h - what Lua code may see: an allow-list of globals, the embedded library through
 * require.
 *
 * The trusted library (lua/) shares one environment, which also holds the table host. Every script
 * has an environment of its own with copies of the libraries and of the modules that it may
 * require, so that none can change what another sees; reading or setting a global that is not there
 * raises. Only source text is compiled, never bytecode.
 *
 * Lua's C functions that could run for long are replaced by bounded ones, for the library too
 * (lib_base.h, lib_string.h, lib_table.h).
 *
 * All functions run inside vm_call and raise Lua errors.
 *
 * Thread: the state's. */
#pragma once
#include "base/slice.h"
#include <lua.h>

/* Opens the libraries and makes the library's environment, with the table at the top of the stack
 * (popped) as its global host. */
void sandbox_open(lua_State *L);

/* Pushes a library module, loading it when it is asked for first. */
void sandbox_require(lua_State *L, const char *module);

/* Compiles text with a new script environment; pushes the function. name: the file, as messages
 * name it. */
void sandbox_compile(lua_State *L, struct slice text, const char *name);
