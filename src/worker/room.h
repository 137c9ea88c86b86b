/* room.h - is there room for one more connection? Places for clients, and descriptors, are counted over all workers; the
 * descriptors that control needs (registry, scripts, logs, probes) are kept back.
 *
 * Where none is left, a worker makes room: it closes what only waits, longest first. Clients of both versions that have been idle for
 * half a second, and for a descriptor idle connections to backends; then clients whose head has been arriving for a second. Has
 * it nothing of the kind, it asks the other workers, whose room it gets at its next try.
 *
 * Thread: the worker's. Ownership: whoever was told true gives the place back once, when its descriptor is closed. */
#pragma once
#include "worker/worker_state.h"

/* A place and a descriptor for a client that is about to be accepted. make: for certain there is one, so that others may be
 * closed for it. False: there is none now. */
MUST_USE bool room_take_client(struct worker *w, bool make);
void room_give_client(struct worker *w);

/* A descriptor for a connection to a backend. False: there is none now. */
MUST_USE bool room_take_origin(struct worker *w);
void room_give_origin(struct worker *w);

/* May one more client come from this address (limits.connections_per_address)? *counted: it has to be given back. */
MUST_USE bool room_admit_address(struct worker *w, const struct address *peer, bool *counted);
void room_leave_address(struct worker *w, const struct address *peer);

/* The kernel has no descriptor left although we counted one: closes what only waits. False: nothing of the kind here. */
bool room_make_descriptor(struct worker *w, bool for_origin);
