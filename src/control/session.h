/* session.h - one registered service instance: identity, standing, live and staged configuration.
 *
 * Thread: control. Ownership: the model owns sessions; a connection and a session point to each
 * other while bound, and whoever goes first clears both pointers. Scripts reach a session by its id
 * only. */
#pragma once
#include "base/error.h"
#include "base/list.h"
#include "control/config_set.h"
#include "guard/line_pace.h"
#include <ev.h>

struct connection;
struct control;
struct drain;
struct maintenance;

enum { SESSION_ID_SIZE = 33 };

enum session_standing {
    SESSION_CONNECTED,    /* a registry connection is bound to it */
    SESSION_DISCONNECTED, /* in its grace period; its routes are a last resort */
    SESSION_SUPERSEDED,   /* a newer session has its names; id dead, routes a last resort */
    SESSION_STATIC /* the configuration file's routes; never disconnects, no id on the wire */
};

struct session {
    struct list link; /* in model.sessions, oldest first */
    struct control *control;
    /* identity, constant */
    char id[SESSION_ID_SIZE]; /* 32 hex digits, 128 random bits */
    char *service, *instance;
    uint32_t order;            /* grows from session to session; 0: the static one */
    uint16_t maintenance_port; /* 0: none given */
    char *metadata;            /* JSON text, or NULL */
    /* standing */
    enum session_standing standing; /* changed by session_set_standing only */
    struct connection *connection;  /* NULL unless connected */
    struct session *supersedes;     /* whose routes the first apply replaces, or NULL */
    uint64_t connected_wall_ms;     /* REGISTER or last RECONNECT */
    uint64_t registered_ms;         /* monotonic, for uptime */
    uint64_t activity_wall_ms;      /* last command */
    uint64_t apply_wall_ms;         /* last apply that went live, 0: never */
    /* configuration */
    struct config_set *live;  /* never NULL */
    struct config_set *next;  /* of an apply that waits for names: live soon; else NULL */
    struct config_set *draft; /* NULL: nothing staged */
    struct line_pace takeovers; /* by other connections and sessions; a session that supersedes goes on with it */
    unsigned next_route;      /* number of the next route id; never reused */
    bool applying;            /* an apply of this session is not answered yet */
    /* operations */
    struct drain *drain;             /* control/drain.h; NULL: there never was one */
    unsigned operations;             /* of its maintenance, under way */
    struct maintenance *maintenance; /* control/maintenance.h; NULL: none */
    /* time */
    void (*grace_ended)(struct session *s);
    ev_timer grace;  /* runs while disconnected or superseded */
    ev_timer staged; /* runs while there is a draft */
};

/* A session with a fresh id and nothing configured; metadata absent: none. grace_ended is called
 * when the grace period that session_start_grace began is over. */
struct session *session_new(struct control *c, struct slice service, struct slice instance,
                            void (*grace_ended)(struct session *s));

/* Its live names must have been dropped. NULL is fine. */
void session_free(struct session *s);

/* (Re)starts the grace period. */
void session_start_grace(struct session *s);

/* The draft, made as a copy of what is live (or about to be) when there is none; (re)starts the
 * time after which staged changes are dropped. NULL: there is no memory for it. */
MUST_USE struct config_set *session_stage(struct session *s, struct error *err);

/* The draft, the caller's from now on: there is none any more. */
struct config_set *session_take_draft(struct session *s);

/* The draft, else what is live or about to be: what a command that only reads looks at. */
const struct config_set *session_view(const struct session *s);

/* Drops the draft. */
void session_rollback(struct session *s);

/* Changes standing and the standing of all live routes with it; the grace period ends when
 * connected. */
void session_set_standing(struct session *s, enum session_standing standing);

/* Gives all live routes what goes with the session: standing, drain, maintenance. */
void session_sync_routes(struct session *s);

/* "r<n>" for the next route. */
void session_next_route_id(struct session *s, char out[ROUTE_ID_SIZE]);

/* A command of this session was run now. */
void session_touch(struct session *s);
