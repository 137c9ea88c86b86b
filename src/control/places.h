/* places.h - which services have which places live: a place is one domain with one path.
 *
 * Answers "who has this place" without walking all routes. Kept by the model with every change of a
 * live set.
 *
 * Thread: control. Ownership: owns its copies of names. */
#pragma once
#include "base/slice.h"
#include <stdbool.h>

struct config_set;
struct route_entry;
struct places;

struct places *places_new(void);
void places_free(struct places *p); /* NULL is fine */

/* Counts every place of the route for the service, or takes it back. */
void places_add_route(struct places *p, const struct route_entry *route, const char *service);
void places_remove_route(struct places *p, const struct route_entry *route, const char *service);

/* Takes all routes of a set back. */
void places_remove(struct places *p, const struct config_set *set, const char *service);

/* Do more routes than this one have a place in common with it? */
bool places_has_company(const struct places *p, const struct route_entry *route);

/* A service other than the given one that has this place, or NULL. domain in any case. */
const char *places_other(const struct places *p, struct slice domain, struct slice path,
                         const char *service);
