#include "control/pages.h"

#include "base/check.h"
#include "config/page.h"

void pages_maintenance(struct control *c, const char *service, const char *reason,
                       uint64_t expected_end_wall_ms, struct page **out)
{
    (void)c;
    (void)service;
    (void)reason;
    (void)expected_end_wall_ms;
    ASSERT_CONTROL();
    *out = page_new(SLICE("maintenance"));
}
