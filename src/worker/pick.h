/* pick.h - which member of a group gets a request.
 *
 * Members are looked at in the order of the group's policy (round robin; power of two choices by requests in
 * flight; rendezvous hashing of the client's address). The first that is as good as any is taken; with none, the best of
 * the rest in the order of enum rank. What a member's state means is guard/effective.h's to say.
 *
 * A member that drains, is degraded or starts slowly takes a share of what comes to it. A draw decides: a member's draws for requests that come to it first
 * follow its own additive sequence by the golden ratio (Weyl), so that
 * any run of requests is spread evenly and a share is kept within a request or two, whatever the policy. The members of one
 * session's drain judge by one draw.
 *
 * Thread: the worker's. */
#pragma once
#include "guard/verdict.h"
#include <stdbool.h>

struct member;
struct request;

/* The member for rq, none of those it tried before. NULL: *why says what keeps the members from it and *whose is the
 * member that the answer is about; VERDICT_PASS when all were tried. */
const struct member *pick_member(struct request *rq, enum verdict *why, const struct member **whose);

/* Does every member of rq's group drain, so that its client had better connect elsewhere? */
bool pick_group_drains(const struct request *rq);

/* Is there another member that could take rq, if it were sent again? */
bool pick_has_other(struct request *rq);
