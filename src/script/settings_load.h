/* settings_load.h - the configuration file: read by lua/config, checked, made into struct settings.
 *
 * The file runs in a Lua state of its own that is closed afterwards, with the limits of every VM:
 * memory, time, nothing but the embedded library in reach.
 *
 * Thread: control. Ownership: what is returned is the caller's. */
#pragma once
#include "base/check.h"
#include "config/settings.h"

struct config_set;

/* Reads and checks the file (path NULL: there is none, all defaults). *static_routes gets its
 * routes with the ids r1, r2, ..., for config_set_free. NULL: *problems gets all that is wrong, a
 * line each
 * ("file:line: what is wrong and how to mend it"), for free. */
MUST_USE struct settings *settings_load(const char *path, struct config_set **static_routes,
                                        char **problems);
