/* events.h - who subscribed to what, and sending it to them.
 *
 * Thread: control. */
#pragma once
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

struct control;

/* X(ID, name on the wire) */
#define EVENTS(X) \
    X(CERT_RENEWED, "cert_renewed") \
    X(GLOBAL_CONFIG_CHANGED, "global_config_changed") \
    X(BACKEND_HEALTH_CHANGED, "backend_health_changed") \
    X(CIRCUIT_CHANGED, "circuit_changed") \
    X(DRAIN_COMPLETED, "drain_completed") \
    X(MAINTENANCE_CHANGED, "maintenance_changed")

enum event {
#define EVENT_ID(id, name) EVENT_##id,
    EVENTS(EVENT_ID)
#undef EVENT_ID
    EVENT_COUNT
};

/* The mask of a type name; "all" is every type; 0 for an unknown one. */
uint32_t event_mask(struct slice type);

/* Sends EVENT|name|json to every connection that subscribed to it. session: only connections bound
 * to it, and unbound ones that subscribed with its id; NULL: all. */
struct session;
void events_send(struct control *c, enum event event, const struct session *session,
                 const char *json);
