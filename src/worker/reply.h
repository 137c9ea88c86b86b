/* reply.h - the answers that the proxy makes itself: a page, and Proxy-Status (RFC 9209) that says why.
 *
 * The page is bytes that control has made ready (config/page.h), in the format that the request's Accept prefers. It
 * goes out from where it is, as slowly as the client takes it.
 *
 * Thread: the worker's. Ownership: the bytes belong to what the request's lease holds. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include "worker/relay.h"
#include <stdbool.h>

struct field_list;
struct request;

enum { REPLY_PIECES = 5 };

/* A relay's source: the pieces of a page, in turn. */
struct reply_source {
    struct slice piece[REPLY_PIECES]; /* what is not sent yet */
    unsigned at;                      /* the first of them */
};

/* Composes the head of the answer for rq->verdict and makes the page ready: rq->download sends it. False: the head
 * could not be composed. */
MUST_USE bool reply_start(struct request *rq);

/* Adds the fields that go with a maintenance page, wherever it comes from. */
void reply_maintenance_fields(struct field_list *out);
