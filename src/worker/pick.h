/* pick.h - which member of a group gets a request.
 *
 * Members are looked at in the order of the group's policy (round robin; power of two choices by requests in
 * flight; rendezvous hashing of the client's address). The first that is at full standing, resolves and did not
 * refuse a connection a moment ago is taken; with none, the best of the rest: suspects, then those of
 * disconnected sessions, then anything.
 *
 * Thread: the worker's. */
#pragma once

struct member;
struct request;

/* The member for rq, none of those it tried before. NULL: all were tried. */
const struct member *pick_member(struct request *rq);
