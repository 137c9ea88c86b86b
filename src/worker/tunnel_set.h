/* tunnel_set.h - one worker's tunnels of one member, and when they have to close: evenly over a drain, or within a limit.
 *
 * A drain is a start and a length in the route state. As long as there are tunnels the worker looks ten times a second at the states of their
 * members; nobody tells it. A member that was removed, got another backend (the URL's authority) or went into
 * maintenance is noticed when a new snapshot is adopted; its tunnels have timeouts.tunnel_close, those of a stopping proxy the time until
 * its deadline, less a part for the close handshakes. What ends first counts.
 *
 * Each tunnel gets a place in that time by its rank, so that any tenth of it closes a tenth of them; one that comes later draws its
 * place in what is left. When the reason goes (a cancelled drain), so do the places.
 *
 * At each adoption the tunnels go over to the newest lease, those of a member that is gone excepted: these keep the last
 * one that had it, until they are closed.
 *
 * Thread: the worker's. Ownership: sets belong to the worker and exist as long as they have tunnels; a tunnel belongs to its request. */
#pragma once
#include "base/list.h"
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct tunnel;
struct worker;

/* A worker's. */
struct tunnel_sets {
    struct list all; /* of struct tunnel_set */
    ev_timer timer;  /* looks at the members; active while there are sets */
    uint64_t stop_ms; /* the worker stops: when its last tunnel is to close; 0: it does not */
};

void tunnel_sets_init(struct worker *w);

/* A lease was adopted. */
void tunnel_sets_adopt(struct worker *w);

/* The worker stops. */
void tunnel_sets_stop(struct worker *w, uint64_t deadline_ms);

/* A tunnel opens, at its request's member. False: out of memory. */
bool tunnel_set_join(struct tunnel *t);
void tunnel_set_leave(struct tunnel *t);
