/* stats.h - counts one ended request where it belongs.
 *
 * Thread: the worker's; the counters are read by control (route_state_sum). */
#pragma once

struct request;
struct route_local;
struct worker;

/* A request was given to a route: has what stats_count will touch of it, as far as it knows, fetched meanwhile. */
void stats_expect(const struct worker *w, const struct route_local *local);

/* Called for each request that had a complete head, at its end, and before for a tunnel, when it opens. Counts once. */
void stats_count(struct request *rq);

/* The request has ended, with a head or without: counts its verdict, unless that is to pass. */
void stats_verdict(const struct request *rq);
