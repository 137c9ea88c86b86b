/* control.h - the control thread: its loop, what it owns, start and stop of the whole.
 *
 * Thread: control (the main thread). Ownership: struct control owns everything below it; there is
 * one. */
#pragma once
#include "base/crash.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "config/settings.h"
#include "control/model.h"
#include "control/probe_places.h"
#include "control/registry_count.h"
#include "worker/worker.h"
#include <ev.h>

struct backend_tls;
struct bundle;
struct certificates;
struct cli;
struct control;
struct page_book;
struct scripts;
struct server_context;
struct worker;

/* How control hears that a worker has stopped. */
struct worker_end {
    struct message stopped;
    struct control *control;
};

struct control {
    struct crash_trail trail;    /* what a crash of this thread tells */
    struct ev_loop *loop;
    struct mailbox mailbox;      /* from the workers */
    struct settings *settings;   /* in force, referenced */
    struct backend_tls *backend_tls; /* control/backend_tls.h: of these settings */
    struct model model;          /* sessions and what they have live */
    struct registry *registry;   /* control/registry.c */
    struct registry_counts counts;
    uint64_t registry_most;      /* connections of it that there are descriptors for */
    struct publisher *publisher; /* control/publish.c */
    struct composition *composition; /* control/compose.c */
    struct resolver *resolver;   /* control/resolve.c */
    struct scripts *scripts;     /* control/scripts.h */
    struct vm *vm;               /* script/vm.h: the generation of scripts in service */
    struct list pendings;        /* script/vm_state.h: commands that wait for their answer */
    unsigned pending_count;      /* of them */
    struct bundle *bundle; /* script/bundle.h: of that generation, control/scripts.c's */
    struct certificates *certificates; /* control/certificates.c */
    struct server_context *tls;  /* what it made of them, referenced; NULL: none */
    struct page_book *pages;     /* control/pages.c: what it made, referenced */
    struct probe_places probe_places; /* control/probe_places.h */
    struct health_pace *health_pace; /* control/health_pace.h */
    uint64_t started_ms;         /* monotonic */
    const struct cli *cli;       /* command line, which wins over the configuration file */
    /* workers; the first worker_count of both arrays exist */
    struct worker_shared shared;
    struct worker **workers;
    struct worker_end *worker_ends;
    unsigned worker_count;
    unsigned workers_stopped;
    bool bare;     /* serves nobody: no listeners, logs and signals (control_open) */
    bool stopping; /* told to stop: nothing is published any more */
    ev_signal on_term, on_int, on_hup, on_usr1;
    ev_timer give_back; /* control/give_back.h */
};

/* Runs the proxy until it is told to stop. Returns the exit code (enum exit_code). */
int control_run(const struct cli *cli);

/* For tools: all that runs a command - registry, scripts, model, worker threads - for the settings in c->settings and
 * the scripts in c->bundle, but without listeners: connections come by registry_take. The caller runs the loop.
 * False: said what is wrong; control_close is due in any case. */
MUST_USE bool control_open(struct control *c);
void control_close(struct control *c);

/* Sums what all workers have counted. */
void control_count(const struct control *c, struct worker_counts *sum);

/* Reads configuration and scripts and says on standard output and standard error what it found.
 * Returns the exit code. */
int control_check(const struct cli *cli);
