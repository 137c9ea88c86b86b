/* bypass.h - operators who see the backend during maintenance: by a secret in a header, or by address.
 *
 * Thread: the worker's. */
#pragma once
#include <stdbool.h>

struct request;

/* Does the configuration let this request pass maintenance? */
bool bypass_allows(const struct request *rq);
