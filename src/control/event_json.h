/* event_json.h - the JSON object of an event, put together field by field.
 *
 *     event_json_begin(&json);
 *     event_json_text(&json, "route_id", "r1");
 *     event_json_send(&json, c, EVENT_CIRCUIT_CHANGED, session);
 *
 * Thread: control. Ownership: begin takes memory, send gives it back. */
#pragma once
#include "control/events.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct event_json {
    FILE *out; /* to text */
    char *text;
    size_t len;
    const char *comma; /* before the next field */
};

void event_json_begin(struct event_json *json);

/* Begins an event about a route, by its id: what clients read first. */
struct route_state;
void event_json_begin_route(struct event_json *json, const struct route_state *s);

/* Adds whose it is: service, instance. */
void event_json_service(struct event_json *json, const struct session *s);

/* Each adds one field. NULL as a text is null, 0 as a time too. */
void event_json_text(struct event_json *json, const char *key, const char *value);
void event_json_number(struct event_json *json, const char *key, double value);
void event_json_flag(struct event_json *json, const char *key, bool value);
void event_json_time(struct event_json *json, const char *key, uint64_t wall_ms); /* RFC 3339 */

/* A list of texts: open, an item each, close. */
void event_json_open_list(struct event_json *json, const char *key);
void event_json_item(struct event_json *json, const char *value);
void event_json_close_list(struct event_json *json);

/* Bytes so far. */
size_t event_json_length(const struct event_json *json);

/* Ends the object and sends it to the session's subscribers, or to all for NULL. */
void event_json_send(struct event_json *json, struct control *c, enum event event,
                     const struct session *session);
