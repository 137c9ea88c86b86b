/* control.h - the control thread: its loop, what it owns, start and stop of the whole.
 *
 * Thread: control (the main thread). Ownership: struct control owns everything below it; there is one. */
#pragma once
#include "base/list.h"
#include "base/mailbox.h"
#include "config/settings.h"
#include "control/model.h"
#include <ev.h>

struct control {
    struct ev_loop *loop;
    struct mailbox mailbox;       /* from the workers */
    struct settings *settings;    /* in force, referenced */
    struct model model;
    struct registry *registry;    /* control/registry.c */
    struct publisher *publisher;  /* control/publish.c */
    struct resolver *resolver;    /* control/resolve.c */
    struct vm *vm;                /* script/vm.h: the generation of scripts in service */
    struct worker **workers;
    unsigned worker_count;
    const char *config_path;      /* NULL: none given */
    const struct cli *cli;        /* command line, which wins over the file */
    bool stopping;
    unsigned workers_stopped;
    ev_signal on_term, on_int, on_hup, on_usr1;
    int exit_code;
};

/* Runs the proxy until it is told to stop. Returns the exit code. */
int control_run(const struct cli *cli);

/* Current times, read once a loop turn. */
uint64_t control_now_ms(const struct control *c);
