/* scheme.h - what a request gets because it came over TLS or did not: a redirect to https, the answer to an ACME
 * challenge, a refusal where its Host is not what the connection's certificates were for.
 *
 * Thread: the worker's. */
#pragma once
#include "guard/verdict.h"

struct field_list;
struct request;

/* Before a route is looked for; host and path are known. PASS: it goes on. */
enum verdict scheme_check(struct request *rq);

/* Location, for the verdicts that redirect. */
void scheme_location(const struct request *rq, struct field_list *out);

static inline bool scheme_redirects(enum verdict verdict)
{
    return verdict == VERDICT_REDIRECT_301 || verdict == VERDICT_REDIRECT_308;
}
