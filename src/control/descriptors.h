/* descriptors.h - shares the process's descriptors out at the start (guard/descriptor_plan.h), and says so where limits ask for
 * more than there are.
 *
 * Thread: control, before workers run. */
#pragma once

struct control;

/* Sets what so many workers, probes and the registry may have, once everything but them is open. */
void descriptors_share_out(struct control *c, unsigned workers);
