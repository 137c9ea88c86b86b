/* descriptors.h - shares the process's descriptors out at the start (guard/descriptor_plan.h), and says so where limits ask for
 * more than there are.
 *
 * Thread: control, before workers run. */
#pragma once

struct probe_places;
struct settings;
struct worker_shared;

/* Sets what workers and probes may have, once everything but them is open. */
void descriptors_share_out(const struct settings *settings, unsigned workers, struct worker_shared *shared,
                           struct probe_places *probes);
