/* settings_tls.h - the settings about TLS: their files are tried while the configuration is read, so that what is wrong with one is
 * told with its line.
 *
 * Thread: control. */
#pragma once
#include "config/settings.h"
#include <lua.h>

/* Adds tls_authorities and tls_certificate to the table at the top. */
void settings_tls_open(lua_State *L);

/* Fills in from the checked configuration at the top. Raises. */
void settings_fill_tls(lua_State *L, struct settings *s);
