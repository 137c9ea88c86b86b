/* scripts.h - which scripts are in service: reading them anew while traffic flows, and going back.
 *
 * A reload reads the directory into a bundle, makes a VM of it, lets it check itself and render every page,
 * and only then puts it in service: between two calls into Lua, with all state left where it is, in C. Any
 * error leaves the generation that serves alone and is told, in the log and as an event.
 *
 * A generation whose calls fail too often in service is taken back: the last good one is made anew from its
 * texts, and serves until the files change. A health policy (script/vm_health.h) or request policy (script/hook.h)
 * that fails too often is switched off by itself before and counts as one failed call.
 *
 * Thread: control. Ownership: struct control owns it, c->scripts, and the VM in service, c->vm. */
#pragma once
#include "base/error.h"
#include "base/list.h"
#include "control/script_watch.h"
#include "guard/failure_window.h"
#include <stdint.h>

struct bundle;
struct control;
struct message;

/* Why scripts were refused or taken back. */
struct scripts_fault {
    char file[256];     /* below the directory; "" when no script is to blame */
    unsigned line;      /* 0: none */
    struct error error; /* the whole, on one line */
    uint64_t wall_ms;   /* when; 0: never */
};

struct scripts {
    struct control *control;
    struct script_watch *watch; /* NULL: nobody watches */
    ev_timer turn;              /* what has to wait for the end of a call into Lua */
    /* generations */
    struct bundle *serving;   /* c->vm was made of it */
    struct bundle *last_good; /* to go back to; NULL: none */
    struct bundle *bad;       /* not read again as long as the files are like it, or NULL */
    bool given;                 /* serving was not read: there is nothing to read anew */
    bool bad_in_service;      /* bad was in service and failed; else it was refused */
    uint64_t generations;     /* made so far */
    uint64_t since_wall_ms;   /* serving is in service */
    struct scripts_fault refused; /* the last refusal, until scripts load again */
    struct scripts_fault taken_back; /* what made the last one be given up, until others are in service */
    uint64_t taken_back_generation;
    /* failures in service */
    struct failure_window failures; /* of this generation */
    struct scripts_fault failed;    /* the newest */
    bool give_up;                   /* at the next turn */
    bool make_anew;                 /* at the next turn */
    bool told_stuck;                /* that there is nothing to go back to */
    /* who waits */
    struct list requests;      /* struct reload_request: for a reload at the next turn */
    struct list announcements; /* struct announcement: until the workers have the new pages */
};

/* Reads the settings' directory, unless c->bundle is there already, whose reference it takes over, and puts the
 * scripts in service, for the first time. False: err, which begins
 * with a path. c->scripts is there in any case. */
MUST_USE bool scripts_start(struct control *c, struct error *err);

/* Stops reading; whoever waits is not called. c->vm is gone as well. */
void scripts_stop(struct control *c);

/* Watches, or stops to, as the settings say. */
void scripts_follow_settings(struct control *c);

/* Reads the directory again, now; not from within a call into Lua. why: "signal". */
void scripts_reload(struct control *c, const char *why);

/* The same soon, for a command. done is called once it is known what came of it: refused is the reason or NULL;
 * changed: there is a new generation and all workers have its pages. */
void scripts_request(struct control *c,
                     void (*done)(void *arg, const char *refused, bool changed), void *arg);

/* A call into the scripts in service failed; may be called from within another. what: "command PING". */
void scripts_note_failure(struct control *c, const char *what, const struct error *err);

/* A health policy was switched off: counts as a failed call, and is told. */
void scripts_note_policy_off(struct control *c, const char *policy, const struct error *err);

/* The same for a request policy: runs the worker's policy_notice and frees it. One of another generation is no
 * news. */
void scripts_on_policy_notice(struct message *m);

/* The scripts in service keep much memory from call to call. Soon, their VM is made anew, without what they kept: no
 * state lives in Lua, and one script may not take the memory of the others. May be called from within a call. */
void scripts_make_anew(struct control *c);

/* Counts a failure at w; true when as many as the settings say came within their window. */
MUST_USE bool scripts_too_many(const struct control *c, struct failure_window *w);

/* Failed calls within the window. */
unsigned scripts_failures(const struct control *c);
