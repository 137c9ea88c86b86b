/* h2_mem.h - memory for sessions of nghttp2.
 *
 * Out of memory nghttp2 closes a session in order, but for where it grows a queue: nghttp2 1.52 then frees a frame
 * twice (nghttp2_submit_data, found by make faults). So what it resizes comes from the reserve (base/need.h).
 *
 * Thread: any. */
#pragma once

/* A nghttp2_mem. */
void *h2_mem(void);
