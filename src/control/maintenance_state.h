/* maintenance_state.h - the inside of maintenance, for the files of control/maintenance*.c alone.
 *
 * Thread: control. */
#pragma once
#include "base/list.h"
#include "config/url.h"
#include "control/maintenance.h"
#include "control/maintenance_targets.h"
#include "control/session.h"

struct maintenance_wait;
struct page;
struct resolve_wait;
struct resolved;

/* What a session has in maintenance; there is one while a target is in. */
struct maintenance {
    struct session *session;
    struct maintenance_targets *targets;
    uint64_t entered_wall_ms;
    /* of the newest ENTER */
    char *reason; /* or NULL */
    uint64_t expected_end_wall_ms;
    struct page *page;              /* as rendered then */
    char *page_url;                 /* or NULL */
    struct url url;                 /* slices into page_url */
    struct resolved *name;          /* held; NULL when page_url has an address, or there is none */
    bool page_answered;             /* page_url was reachable: pages come from there */
    struct route_state *page_state; /* made with the first page URL */
};

/* Ids of routes whose maintenance has changed. */
struct maintenance_ids {
    char (*ids)[ROUTE_ID_SIZE];
    unsigned count, cap;
};

enum maintenance_kind {
    MAINTENANCE_ENTER,
    MAINTENANCE_EXIT,
    MAINTENANCE_FOLLOW /* an apply changed who is meant */
};

/* How far an operation is. */
enum maintenance_phase {
    MAINTENANCE_QUEUED,    /* behind another one of its session */
    MAINTENANCE_BEGINNING, /* waits for the page server's name, or for the next loop turn */
    MAINTENANCE_WAITING,   /* for the page server or the backends */
    MAINTENANCE_PUBLISHING /* decided; waits for the workers */
};

struct maintenance_op {
    struct list link; /* in model.maintenance_ops, oldest first */
    struct model *model;
    struct session *session; /* NULL once it is gone */
    enum maintenance_kind kind;
    enum maintenance_phase phase;
    bool force;     /* EXIT: does not wait */
    bool has_page;  /* ENTER: has a page URL */
    bool wait_over; /* ENTER: its page has answered, as the workers are told now */
    bool overtaken; /* by a newer command: does not start to wait any more */
    /* the command; none with MAINTENANCE_FOLLOW */
    struct maintenance_targets *targets;
    char *target, *txn; /* texts of the client; txn may be NULL */
    uint64_t serial;
    void (*answer)(void *arg, const char *refused); /* NULL: done, or forgotten */
    void *arg;
    /* ENTER; handed over to the session's maintenance when it takes effect */
    char *page_url, *reason;
    uint64_t expected_end_wall_ms;
    struct resolved *name;
    /* while it goes on */
    ev_timer begin;
    struct resolve_wait *naming;
    struct maintenance_wait *wait;
    struct maintenance_ids entered, left;
};

/* ---- maintenance.c */

/* Lets an ENTER take effect in the model; it hands over its texts and its name. */
void maintenance_put(struct session *s, struct maintenance_op *op);

/* The same for an EXIT. */
void maintenance_take(struct session *s, struct maintenance_op *op);

/* Brings all live routes in line with the targets and notes whose state changed. */
void maintenance_settle(struct session *s, struct maintenance_op *op);

/* ---- maintenance_op.c */

/* One that only tells what an apply changed. */
struct maintenance_op *maintenance_op_follow(struct session *s);
void maintenance_op_free(struct maintenance_op *op);

/* Tells once the workers serve what it changed. */
void maintenance_op_publish(struct maintenance_op *op);

/* ---- maintenance_tell.c */

/* Log lines and events for the routes that entered or left. */
void maintenance_tell(const struct maintenance_op *op);

/* One line that nobody asked for, with the transaction id: word|txn|text. */
void maintenance_say(const struct maintenance_op *op, const char *word, const char *text);
