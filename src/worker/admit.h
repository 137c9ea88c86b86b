/* admit.h - may this request go on? The one place where the order of the checks stands.
 *
 * Thread: the worker's. */
#pragma once
#include "guard/verdict.h"

struct request;

/* Before a member is chosen: what holds for the request as such. */
enum verdict admit_request(const struct request *rq);

/* For the chosen member. */
enum verdict admit_member(const struct request *rq);
