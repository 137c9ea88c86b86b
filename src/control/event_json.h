/* event_json.h - the JSON object of an event, put together field by field.
 *
 * Begin, add, then events_send(..., event_json_end(&json)), which holds until the next begin. What does not fit is left
 * out whole, so that the line stays valid JSON and short enough for every client.
 *
 * Thread: control. Ownership: the caller's memory. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

enum { EVENT_JSON_SIZE = 8 * 1024 };

struct event_json {
    size_t len;
    char text[EVENT_JSON_SIZE];
};

void event_json_begin(struct event_json *json);

/* Each adds one field. NULL as a text is null, 0 as a time too. */
void event_json_text(struct event_json *json, const char *key, const char *value);
void event_json_number(struct event_json *json, const char *key, uint64_t value);
void event_json_flag(struct event_json *json, const char *key, bool value);
void event_json_time(struct event_json *json, const char *key, uint64_t wall_ms); /* RFC 3339 */

/* A list of texts. */
void event_json_texts(struct event_json *json, const char *key, const char *const *values,
                      unsigned count);

/* The whole object, NUL-terminated. */
const char *event_json_end(struct event_json *json);
