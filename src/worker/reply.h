/* reply.h - the answers that the proxy makes itself: a short page, and Proxy-Status (RFC 9209) that says why.
 *
 * Thread: the worker's. */
#pragma once
#include "base/check.h"
#include <stdbool.h>

struct request;

/* Sends the answer for rq->verdict to the client; false when it could not be composed. */
MUST_USE bool reply_send(struct request *rq);

/* Adds the fields that go with a maintenance page, wherever it comes from. */
struct field_list;
void reply_maintenance_fields(struct field_list *out);
