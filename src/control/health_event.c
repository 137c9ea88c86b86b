#include "control/health_event.h"

#include "base/log.h"
#include "control/event_json.h"
#include "control/health_check.h"

static void send_event(const struct health *h, const struct health_report *now)
{
    struct event_json json;

    event_json_begin_route(&json, h->state);
    event_json_flag(&json, "healthy", now->state != ROUTE_HEALTH_DOWN);
    event_json_text(&json, "reason", now->reason);
    event_json_text(&json, "state", health_state_name(now->state));
    event_json_number(&json, "share", now->share);
    event_json_service(&json, h->state->session);
    event_json_text(&json, "url", now->url);
    event_json_send(&json, h->control, EVENT_BACKEND_HEALTH_CHANGED, h->state->session);
}

void health_announce(const struct health *h, enum route_health from)
{
    struct health_report now;

    health_report(h->state, &now);
    log_write(now.state == ROUTE_HEALTH_HEALTHY ? LOG_INFO : LOG_WARN,
              "[registry-v2] Backend health changed",
              "route=%s service=%s instance=%s url=%s from=%s to=%s reason=%s share=%.4g",
              h->state->route_id, h->state->service, h->state->instance, now.url,
              health_state_name(from), health_state_name(now.state), now.reason ? now.reason : "-",
              now.share);
    if (h->state->session)
        send_event(h, &now);
}
