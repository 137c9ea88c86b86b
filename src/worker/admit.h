/* admit.h - may this request go on? The one place where the order of the checks stands.
 *
 * What keeps a member from a request - maintenance, drain, health, circuit, in this order - is decided while one is picked
 * (worker/pick.h, guard/effective.h), and so is whether it takes a body of this size. Then come, for the member that was picked, the
 * rate limit, for what may become a tunnel one of the member's places for these, and last a place in the member's circuit, so that none is taken for what is refused anyway.
 *
 * Thread: the worker's. */
#pragma once
#include "guard/verdict.h"
#include <stdbool.h>

struct member;
struct request;

/* Before a member is chosen: what holds for the request as such. */
enum verdict admit_request(struct request *rq);

/* For the chosen member. *again: its circuit has no place any more, look for another one. */
enum verdict admit_member(struct request *rq, bool *again);

/* No member can be used: counts the refusal at the member that it is about, and sets what the answer says of it. */
void admit_refused(struct request *rq, enum verdict why, const struct member *whose);
