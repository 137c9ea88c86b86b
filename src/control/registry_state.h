/* registry_state.h - the inside of struct registry, for the files control/registry*.c alone.
 *
 * Thread: control. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "control/registry.h"
#include <ev.h>

/* A listener. */
struct door {
    struct registry *registry;
    int fd; /* -1: none, or after registry_shutdown */
    bool tls;
    ev_io accept;
};

struct registry {
    struct control *control;
    /* who is there */
    uint64_t next_serial;
    unsigned count;          /* connections that are not closed, but for surplus ones */
    unsigned surplus;        /* those that were refused and are told so */
    struct list connections; /* not closed, oldest first */
    struct list closed;      /* to be freed at the end of the turn */
    struct map *by_serial;   /* connections that are not closed */
    struct map *by_address;  /* address to struct registry_address */
    /* doors, control/registry_doors.c */
    struct door plain, secure;
    struct tls_registry *tls; /* of the secure door; NULL without it */
    uint64_t told_pause_ms;   /* when the log was told so; 0: never */
    ev_timer pause;           /* until accepting is tried again after descriptors ran out */
    /* turns, control/registry_turn.c */
    struct list due;        /* connections with lines to run, first come, first served */
    unsigned due_count;
    struct list handshakes; /* with a step of their handshake to do */
    ev_check turn;
    ev_idle busy;    /* keeps the loop from waiting while something is due */
    ev_prepare reap; /* runs while closed is not empty */
    /* guesses, control/registry_auth.c */
    struct guesses *guesses;
    uint64_t guess_logged_ms; /* when the last line about wrong tokens was logged; 0: never */
    uint64_t guess_unlogged;  /* wrong ones since */
};

/* Makes a connection of an accepted descriptor's transport and counts it. */
struct connection *registry_add(struct registry *r, const struct transport *transport, bool tls,
                                const struct address *peer, bool surplus);

/* Open connections from an address. */
unsigned registry_count_from(const struct registry *r, const struct address *peer);

/* Life of the parts. */
void registry_doors_init(struct registry *r);
void registry_doors_close(struct registry *r);
void registry_turn_init(struct registry *r);
void registry_turn_fini(struct registry *r);
