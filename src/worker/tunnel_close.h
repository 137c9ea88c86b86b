/* tunnel_close.h - how the proxy closes a tunnel: when it is time, and a WebSocket with a close frame.
 *
 * A WebSocket's messages in progress are moved to their ends, and no new ones (FINISHING; at most timeouts.tunnel_message). Then
 * both ends get a close frame with status 1001 and have 2 s to answer it (CLOSING). One that stands within a frame when its
 * time is over is reset. Ends that are closing it already are left to it, for 2 s. Any other protocol just ends.
 *
 * Thread: the worker's. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct slice;
struct tunnel;
struct tunnel_flow;

/* Is it time to close it, or for the next phase of that? */
void tunnel_close_look(struct tunnel *t);

/* How many of these bytes, next from the source, may be moved in the tunnel's phase. */
size_t tunnel_close_allows(const struct tunnel *t, const struct tunnel_flow *f, struct slice bytes);

/* Goes on with closing, after all that could be moved was. */
void tunnel_close_go_on(struct tunnel *t);

/* When tunnel_close_look has to be called next, monotonic ms. */
uint64_t tunnel_close_due(const struct tunnel *t);
