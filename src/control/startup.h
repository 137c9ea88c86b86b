/* startup.h - what control needs before it can serve: configuration, scripts directory, listeners.
 *
 * Everything here says on standard error what is wrong and how to mend it.
 *
 * Thread: control, before workers exist (startup_settings also later). */
#pragma once
#include "base/check.h"
#include "base/error.h"
#include "base/sock.h"

struct cli;
struct config_set;
struct settings;
struct tls_registry;

/* The configuration file's settings with what the command line says in their place, and where the
 * scripts are filled in. *routes gets the static routes, the caller's. NULL: *problems is a text, a
 * line each, for free. */
MUST_USE struct settings *startup_settings(const struct cli *cli, struct config_set **routes,
                                           char **problems);

/* The TLS of the registry's listener. NULL: err says which file is wrong, and why. */
struct tls_registry *startup_registry_tls(const struct settings *settings, struct error *err);

/* How many workers the settings ask for; 0 in them means one for each core this process may use. */
unsigned startup_worker_count(const struct settings *settings);

/* HTTP and HTTPS listeners: one socket for each worker and address, all sockets of an address on one port. */
struct startup_listeners {
    int *fds;             /* count of them, worker after worker; -1: none (any more) */
    size_t count;         /* workers times addresses */
    unsigned per_worker;  /* addresses */
    unsigned plain;       /* the first of them, which speak HTTP in clear; the others speak TLS */
    struct address *real; /* per_worker addresses as bound */
};

/* False: said what is wrong, nothing is open. */
MUST_USE bool startup_listen(const struct settings *settings, unsigned workers,
                             struct startup_listeners *out);

/* The worker's sockets, per_worker of them; they are the taker's from now on. */
void startup_take_listeners(struct startup_listeners *l, unsigned worker, int *out);

/* Closes what was not taken. */
void startup_free_listeners(struct startup_listeners *l);

/* "tidelock: cannot listen on 127.0.0.1:80: permission denied; ..." */
void startup_say_listen(const char *what, const char *option, const struct address *at, int error);

/* "tidelock: scripts/commands/x.lua:3: ..." */
void startup_say_script(const struct settings *settings, const struct error *err);

/* As many descriptors as the system lets us have, with the kernel's table for them; memory that is not given back and faulted in anew
 * with every large allocation. */
void startup_raise_limits(void);
