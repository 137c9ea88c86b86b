/* probe_h2.h - the one request of a probe in HTTP/2: GET, or a call of gRPC's health checking protocol where the path
 * names it.
 *
 * Bytes only: the probe sends what probe_h2_unsent says and hands in what it received.
 *
 * A gRPC answer becomes a status of HTTP: SERVING 200, NOT_SERVING and the like 503; a call that failed 501 where the
 * server has no such service, 503 where it is not available, else 500.
 *
 * Thread: control. Ownership: its maker's. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdbool.h>

struct probe_h2;
struct url;

/* The path that asks for a gRPC health check. */
#define PROBE_GRPC_PATH "/grpc.health.v1.Health/Check"

enum probe_h2_end {
    PROBE_H2_MORE,     /* send what is unsent, then receive more */
    PROBE_H2_ANSWERED, /* with *status */
    PROBE_H2_BAD       /* *error says why; static text */
};

/* NULL: there is no memory for it. */
MUST_USE struct probe_h2 *probe_h2_new(const struct url *url);
void probe_h2_free(struct probe_h2 *h); /* NULL is fine */

/* What is to be sent now, empty: nothing; absent: it broke, for want of memory. Until some of it was reported as sent it stays the same. */
struct slice probe_h2_unsent(struct probe_h2 *h);
void probe_h2_sent(struct probe_h2 *h, size_t n);

MUST_USE enum probe_h2_end probe_h2_received(struct probe_h2 *h, struct slice bytes, int *status,
                                             const char **error);
