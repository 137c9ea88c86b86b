/* session_limits.h - may there be one more session, and may this one stage that much more?
 *
 * Asked before anything is changed; a refusal is counted (registry_count.h) and names the setting.
 *
 * Thread: control. */
#pragma once
#include "base/check.h"
#include "base/error.h"
#include "control/config_set.h"

struct control;
struct session;

/* REGISTER under these names. Where there are as many sessions as may be, the oldest that has no connection and nothing
 * live makes room. */
MUST_USE bool session_may_register(struct control *c, struct slice service, struct slice instance,
                                   struct slice metadata, struct error *err);

/* These routes, all of them. */
MUST_USE bool session_may_add(struct session *s, const struct route_fields *routes, unsigned count, struct error *err);

/* One field of a route, as config_set_update_route takes it. */
MUST_USE bool session_may_update(struct session *s, struct slice id, struct slice field, struct slice value,
                                 struct error *err);

/* A setting, as config_set_put takes it. */
MUST_USE bool session_may_put(struct session *s, enum scope scope, struct slice target, struct slice key,
                              struct slice value, struct error *err);

/* One more MAINT_ENTER or MAINT_EXIT. */
MUST_USE bool session_may_operate(struct session *s, struct error *err);

/* s, NULL for none, goes to another connection, or to a session that supersedes it. */
MUST_USE bool session_may_turn_over(struct session *s, struct error *err);

/* What sessions use now: how many there are, and the most that one has. */
uint64_t sessions_used(const struct control *c);
uint64_t sessions_most_routes(const struct control *c);
uint64_t sessions_most_staged(const struct control *c);
uint64_t sessions_most_operations(const struct control *c);
