/* Circuits as control sees them. */
#include "control/circuits.h"

#include "base/check.h"
#include "base/log.h"
#include "config/route_state.h"

void circuits_hold(struct control *c, struct route_state *s)
{
    ASSERT_CONTROL();
    (void)c;
    log_write(LOG_DEBUG, "circuit held", "route=%s service=%s", s->route_id, s->service);
}

void circuits_unhold(struct control *c, struct route_state *s)
{
    ASSERT_CONTROL();
    (void)c;
    log_write(LOG_DEBUG, "circuit no longer held", "route=%s service=%s", s->route_id, s->service);
}
