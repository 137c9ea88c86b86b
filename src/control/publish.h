/* publish.h - from the model to a snapshot on every worker, with an acknowledgement.
 *
 * publish() marks the model changed; what changed in it has been touched (compose.h). At the end of the loop turn one
 * snapshot is built for all changes so far and handed to every worker as a lease, ownership and all. Whoever asked to be told
 * is told once every worker has adopted a snapshot that contains the change. While a publication
 * waits for workers the next one is not built: changes gather instead, so many applies at once cost
 * few snapshots.
 *
 * Without memory for a snapshot the publication waits until there is; what was published before serves on.
 *
 * Once the proxy stops nothing is built any more; whoever waits then is not called.
 *
 * Thread: control. Ownership: snapshots and leases are control's; workers return leases by message.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct control;
struct snapshot;
struct lease;

/* Starts with nothing published. */
void publish_init(struct control *c);

/* Frees the newest snapshot and forgets who waits. After all workers gave their leases back and no
 * message is left in control's mailbox. */
void publish_fini(struct control *c);

/* Builds the first snapshot, from the model as it is; before workers exist. It stays control's. */
struct snapshot *publish_first(struct control *c);

/* A worker's hold on s, for worker_new; control gets it back by message. */
struct lease *publish_lease(struct control *c, struct snapshot *s);

/* The model or the settings changed. done may be NULL; it is called on control, never from within
 * this call. */
void publish(struct control *c, void (*done)(void *arg), void *arg);

/* The most that the next publication takes, bytes, about. */
size_t publish_size(const struct control *c);

/* The newest snapshot, as it was sent or is on its way; control may read it until the loop turn ends. */
const struct snapshot *publish_newest(const struct control *c);

/* The generation that all workers serve. */
uint64_t publish_generation(const struct control *c);
