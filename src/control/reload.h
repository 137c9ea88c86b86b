/* reload.h - SIGHUP: the configuration file again.
 *
 * Thread: control. */
#pragma once
#include "base/check.h"

struct control;
struct settings;

/* Reads the file; a bad one is logged with the reason and changes nothing. A good one: its settings
 * and static routes are published, and subscribers are told (global_config_changed) once all
 * workers serve them. What only a restart can change is logged as such and stays. */
void reload_configuration(struct control *c);

/* Puts log level and access log as the settings say. 0, or -errno when the access log cannot be
 * opened (then the old one stays). */
MUST_USE int reload_logs(const struct settings *settings);
