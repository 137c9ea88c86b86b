/* config_route.h - the entries of a set, for the files that make up config_set alone.
 *
 * Thread: control. Ownership: an entry belongs to the set it was inserted into. */
#pragma once
#include "control/config_set.h"

/* A copy outside any set; the state is shared, the name not held. */
struct route_entry *config_route_copy(const struct route_entry *from);

/* Unlinks from its list and frees; the maps of its set are not touched. */
void config_route_free(struct route_entry *route);

/* Adds an entry that the set has no other like. */
void config_route_insert(struct config_set *set, struct route_entry *route);

/* Checks a route by itself, as ROUTE_ADD does. */
MUST_USE bool config_route_check(const struct route_entry *route, struct error *err);

/* Copies the settings of the scopes in the mask. */
void config_set_copy_settings(struct config_set *to, const struct config_set *from,
                              unsigned scopes);

/* The settings of one scope and target, or NULL. */
struct setting_group *config_set_group(const struct config_set *set, enum scope scope, struct slice target);

/* Drops all settings of one scope and target. */
void config_set_clear_target(struct config_set *set, enum scope scope, struct slice target);
