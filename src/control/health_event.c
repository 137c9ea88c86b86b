#include "control/health_event.h"

#include "base/log.h"
#include "control/events.h"
#include "control/health_check.h"

#include <stdio.h>
#include <stdlib.h>

/* Writes a text as a JSON string. */
static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_member(FILE *out, const char *name, const char *text)
{
    fprintf(out, ",\"%s\":", name);
    if (text)
        put_text(out, text);
    else
        fputs("null", out);
}

static void send_event(const struct health *h, const struct health_report *now)
{
    char *json = NULL;
    size_t len;
    FILE *out = open_memstream(&json, &len);

    CHECK(out);
    fputs("{\"route_id\":", out);
    put_text(out, h->state->route_id);
    fprintf(out, ",\"healthy\":%s", now->state == ROUTE_HEALTH_DOWN ? "false" : "true");
    put_member(out, "reason", now->reason);
    put_member(out, "state", health_state_name(now->state));
    fprintf(out, ",\"share\":%.4g", now->share);
    put_member(out, "service", h->state->service);
    put_member(out, "instance", h->state->instance);
    put_member(out, "url", now->url);
    fputc('}', out);
    CHECK(fclose(out) == 0);
    events_send(h->control, EVENT_BACKEND_HEALTH_CHANGED, h->state->session, json);
    free(json);
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
