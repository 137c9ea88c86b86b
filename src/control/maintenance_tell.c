/* What becomes known of maintenance: the end of a command, events, log lines. */
#include "base/log.h"
#include "base/need.h"
#include "control/control.h"
#include "control/event_json.h"
#include "control/maintenance_state.h"
#include "control/registry.h"

#include <stdlib.h>

enum {
    EVENT_IDS = 2000, /* in one event, which has to fit into a line */
    LOG_IDS = 20
};

void maintenance_say(const struct maintenance_op *op, const char *word, const char *text)
{
    struct control *c = op->model->control;
    struct connection *conn = op->serial ? registry_find(c, op->serial) : op->session->connection;
    char *line;

    ASSERT_CONTROL();
    if (!conn || conn->phase != CONNECTION_OPEN)
        return;
    line = need_printf("%s%s%s|%s", word, op->txn ? "|" : "", op->txn ? op->txn : "", text);
    connection_send(conn, slice_str(line));
    free(line);
}

static void send_event(const struct session *s, const char (*ids)[ROUTE_ID_SIZE], unsigned count,
                       bool in)
{
    struct event_json json;

    event_json_begin(&json);
    event_json_open_list(&json, "route_ids");
    for (unsigned i = 0; i < count; i++)
        event_json_item(&json, ids[i]);
    event_json_close_list(&json);
    event_json_flag(&json, "in_maintenance", in);
    event_json_service(&json, s);
    event_json_text(&json, "reason", in && s->maintenance ? s->maintenance->reason : NULL);
    event_json_send(&json, s->control, EVENT_MAINTENANCE_CHANGED, s);
}

static void send_events(const struct session *s, const struct maintenance_ids *list, bool in)
{
    for (unsigned at = 0; at < list->count; at += EVENT_IDS) {
        unsigned left = list->count - at;

        send_event(s, list->ids + at, left < EVENT_IDS ? left : EVENT_IDS, in);
    }
}

static void log_ids(const struct session *s, const char *what, const struct maintenance_ids *list)
{
    char text[LOG_IDS * ROUTE_ID_SIZE] = "";
    size_t len = 0;

    for (unsigned i = 0; i < list->count && i < LOG_IDS; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "", list->ids[i]);
    log_write(LOG_INFO, what, "session=%.8s service=%s instance=%s routes=%u ids=%s%s", s->id,
              s->service, s->instance, list->count, text, list->count > LOG_IDS ? ",..." : "");
}

void maintenance_tell(const struct maintenance_op *op)
{
    const struct session *s = op->session;

    if (op->entered.count || op->kind == MAINTENANCE_ENTER)
        log_ids(s, "[registry-v2] Maintenance entered", &op->entered);
    if (op->left.count || op->kind == MAINTENANCE_EXIT)
        log_ids(s, "[registry-v2] Maintenance left", &op->left);
    send_events(s, &op->entered, true);
    send_events(s, &op->left, false);
}
