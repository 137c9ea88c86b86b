/* maintenance.h - a session's maintenance: who is in it, what clients see meanwhile, who waits for
 * what.
 *
 * ENTER puts targets in, EXIT takes them out; a session has one page, of the newest ENTER. Both go
 * through a snapshot, so what is answered is in force on every worker. Then ENTER with a page URL
 * waits for that to answer; EXIT waits first, for the backends. Such a command is an operation
 * (control/maintenance_op.c) until nothing is to be said for it any more. A newer command of the
 * session ends the one that waits.
 *
 * Thread: control. Ownership: hangs on its session; operations hang on the model, as they may
 * outlive their session until a publication ends. */
#pragma once
#include "base/check.h"
#include "base/error.h"
#include "base/slice.h"
#include <stdint.h>

struct address;
struct control;
struct model;
struct route_entry;
struct route_input;
struct session;

/* What ENTER and EXIT have in common; borrowed. */
struct maintenance_order {
    struct slice target; /* as the client wrote it, sent back with the end */
    struct slice txn;    /* its transaction id, or absent */
    uint64_t serial;     /* of the connection that hears of the end; 0: the session's own */
    void (*answer)(void *arg, const char *refused); /* called once; refused NULL: ACK */
    void *arg;
};

/* What an ENTER says of its page. */
struct maintenance_page {
    struct slice url;         /* absent: the proxy's own page */
    struct slice reason;      /* for that page; absent: none */
    uint64_t expected_end_ms; /* how long it is expected to take; 0: unknown */
};

struct maintenance_status {
    const char *page_url;          /* or NULL */
    const char *reason;            /* or NULL */
    uint64_t entered_wall_ms;      /* 0: not in maintenance */
    uint64_t expected_end_wall_ms; /* 0: unknown */
    const char *waiting;           /* for "page", "backend", or NULL */
};

/* MAINT_ENTER. False: err says why and nothing changed. True: order's answer is called later, never
 * from within this call. */
MUST_USE bool maintenance_enter(struct session *s, const struct maintenance_order *order,
                                const struct maintenance_page *page, struct error *err);

/* MAINT_EXIT, the same way. force: does not wait for the backends. */
MUST_USE bool maintenance_exit(struct session *s, const struct maintenance_order *order, bool force,
                               struct error *err);

/* As decided; what is decided last may be on its way to the workers yet. Texts are valid until the
 * session changes. Which routes are in it: route_state.in_maintenance. */
void maintenance_status(const struct session *s, struct maintenance_status *out);

/* Fills in what a live route's maintenance is, if it is in it. ip: room for the page server's
 * address. */
void maintenance_compose(const struct session *s, const struct route_entry *route,
                         struct route_input *input, struct address *ip);

/* The name of the page server's host, or NULL. */
const struct resolved *maintenance_page_name(const struct session *s);

/* The session's live routes have changed; before they are published. */
void maintenance_sync(struct session *s);

/* Renders the pages of all sessions anew and publishes them: the scripts that make them have
 * changed. Not from within a call into Lua. */
void maintenance_render_again(struct control *c);

/* The session goes or was superseded: its operations end without a word; one that is not answered
 * yet is refused. */
void maintenance_leave(struct session *s);

/* The session goes. After maintenance_leave. */
void maintenance_free(struct session *s);

/* Operations go on, but answer is not called any more for this arg. */
void maintenance_forget(struct model *m, const void *arg);

/* Ends all operations without calling answer. */
void maintenance_drop(struct model *m);
