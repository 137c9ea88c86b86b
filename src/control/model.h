/* model.h - all sessions, and by them everything that is live.
 *
 * Thread: control. Ownership: owns its sessions. One model a process (struct control has it). */
#pragma once
#include "base/error.h"
#include "base/list.h"
#include "base/slice.h"
#include "control/session.h"

struct apply;
struct control;
struct places;

struct model {
    struct control *control;
    struct list sessions;    /* oldest first, all standings, the static one too */
    struct map *by_id;       /* connected and disconnected sessions by id */
    struct map *by_names;    /* service and instance to the newest such session */
    struct list applies;     /* that are not answered yet, control/apply.c */
    struct list maintenance_ops; /* that go on, control/maintenance_op.c */
    struct places *places;   /* of all live sets */
    uint32_t last_order;     /* session.order of the newest */
    unsigned session_count;  /* of sessions, without the static one */
    struct session *statics; /* the configuration file's routes, or NULL */
    unsigned worker_count;   /* for new route states */
    uint64_t last_drain_ms;  /* when the newest drain of any session started, monotonic */
};

void model_init(struct model *m, struct control *control, unsigned worker_count);

/* Frees all sessions; applies still waiting are dropped without calling their done. After vm_free
 * and registry_close, before resolve_fini. */
void model_fini(struct model *m);

/* REGISTER: a new session, disconnected until bound; supersedes one of the same names (its
 * connection is told nothing and closed). metadata: JSON text, absent for none. */
struct session *model_register(struct model *m, struct slice service, struct slice instance,
                               uint16_t maintenance_port, struct slice metadata);

/* The living session under these names, or NULL. */
struct session *model_find_names(const struct model *m, struct slice service, struct slice instance);

/* The living session with this id, or NULL. An id is all that a line needs to speak for a session. The look-up is not in
 * constant time and need not be: a text is compared with an id only if both have the same 64 bits of a hash whose seed
 * nobody outside knows, so how long it takes says nothing about the ids that there are; and they have 128 random bits. */
struct session *model_find(const struct model *m, struct slice id);

/* Its connection was lost: disconnected, grace period starts. */
void model_disconnected(struct model *m, struct session *s);

/* Removes a session, and one it was to replace, with their routes and publishes; CLIENT_SHUTDOWN
 * and the end of a grace period. why: for the log. *s = NULL. */
void model_remove(struct model *m, struct session **s, const char *why);

/* CONFIG_APPLY[_PARTIAL] of the scopes in the mask: validates, makes the result live, publishes.
 * False: err says why and nothing changed. True: done(arg, NULL) is called once every worker serves
 * it, or done(arg, reason) when the session went away before it was live; never before model_apply
 * returns. Names that were never resolved are resolved first, within the resolve timeout. */
MUST_USE bool model_apply(struct model *m, struct session *s, unsigned scopes,
                          void (*done)(void *arg, const char *refused), void *arg,
                          struct error *err);

/* What CONFIG_VALIDATE says about what is staged: nothing staged is fine. */
MUST_USE bool model_validate(const struct session *s, struct error *err);

/* The apply goes on, but done is not called any more. */
void model_forget_apply(struct model *m, const void *arg);

/* A service that has this domain and path live under another name than service, or NULL. */
const char *model_owner(const struct model *m, struct slice domain, struct slice path,
                        const char *service);

/* Calls fn for every live route, session by session, oldest first. */
void model_each_live(const struct model *m,
                     void (*fn)(void *arg, const struct session *s, const struct route_entry *r),
                     void *arg);

/* Replaces the static routes by those in set (taken over) and publishes; used at start and by
 * SIGHUP. A route that stays where it was keeps its counters. */
void model_set_static(struct model *m, struct config_set *set);

/* Between model.c and apply.c alone. */

/* Gives the routes of a set that is to be live their states and holds their names. */
void model_prepare(struct model *m, struct session *s, struct config_set *set);

/* Makes a prepared set live in the place of what was. */
void model_make_live(struct model *m, struct session *s, struct config_set *set);

/* Drops the names that a prepared set holds, and frees it. */
void model_discard(struct model *m, struct config_set *set);

/* Removes a session, and one it was to replace, without publishing. why NULL: unlogged. */
void model_unlink(struct model *m, struct session *s, const char *why);

/* The applies of a session that goes: they end by themselves, refused if not live yet. */
void model_leave_applies(struct model *m, struct session *s);

/* Ends all applies without calling done. */
void model_drop_applies(struct model *m);
