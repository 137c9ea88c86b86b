/* pages.h - rendering the pages that the proxy sends by itself.
 *
 * Thread: control, outside of any call into Lua. Ownership: the caller gets a reference. */
#pragma once
#include <stdint.h>

struct control;
struct page;

/* The maintenance page of a service. reason NULL: none was given; expected_end_wall_ms 0: unknown.
 */
void pages_maintenance(struct control *c, const char *service, const char *reason,
                       uint64_t expected_end_wall_ms, struct page **out);
