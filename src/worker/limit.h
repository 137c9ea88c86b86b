/* limit.h - the rate limit of a request's group: asking it, and what the response says of it.
 *
 * The source is what the group's policy says, else worker/source.h's: clients behind a trusted proxy count by themselves.
 *
 * Thread: the worker's. */
#pragma once
#include "base/check.h"
#include <stdbool.h>

struct field_list;
struct request;

/* May the request go on? Asked once for each request; sets what limit_fields says. */
MUST_USE bool limit_admit(struct request *rq);

/* Adds RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers) when a limit was asked. */
void limit_fields(const struct request *rq, struct field_list *out);
