/* maintenance_targets.h - which routes of a session are meant: by id, by path, by domain, or ALL.
 *
 * A set of targets, each in or out. For a route the newest target that names it decides, so that
 * one can be taken out of ALL and put in again. Paths, domains and ALL also name routes that come
 * later.
 *
 * Thread: control. Ownership: owns its texts. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/error.h"
#include "base/slice.h"
#endif

struct config_set;
struct maintenance_targets;
struct route_entry;

struct maintenance_targets *maintenance_targets_new(void);
void maintenance_targets_free(struct maintenance_targets *t); /* NULL is fine */

/* Reads a comma separated list, all of it in. Each has to name a live route or be a target of known
 * (NULL: none); else NULL with "route not found: /x". */
struct maintenance_targets *maintenance_targets_parse(struct slice text,
                                                      const struct config_set *live,
                                                      const struct maintenance_targets *known,
                                                      struct error *err);

/* Puts all targets of from in, or takes them out. */
void maintenance_targets_put(struct maintenance_targets *t, const struct maintenance_targets *from,
                             bool in);

/* Forgets ids of routes that are live no more, and everything once nothing is in. */
void maintenance_targets_prune(struct maintenance_targets *t, const struct config_set *live);

/* Is the route in? */
bool maintenance_targets_cover(const struct maintenance_targets *t,
                               const struct route_entry *route);

/* Is no target in? */
bool maintenance_targets_none(const struct maintenance_targets *t);
