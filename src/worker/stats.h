/* stats.h - counts one ended request where it belongs.
 *
 * Thread: the worker's; the counters are read by control (route_state_sum). */
#pragma once

struct request;

/* Called once for each request that had a complete head, at its end. */
void stats_count(const struct request *rq);
