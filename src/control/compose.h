/* compose.h - from the model to a snapshot.
 *
 * Thread: control. Ownership: the caller owns the snapshot. */
#pragma once
#include <stdint.h>

struct control;
struct snapshot;

/* A sealed snapshot of all live routes with the settings in force. */
struct snapshot *compose_snapshot(struct control *c, uint64_t generation);
