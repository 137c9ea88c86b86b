/* probe_target.h - where probes go, and what they send: what many probes of one URL share.
 *
 * The name is held, and so kept resolved, for as long as the target lives.
 *
 * Thread: control. Ownership: its maker's; it outlives its probes. */
#pragma once
#include "base/error.h"
#include "config/url.h"

struct control;
struct resolved;

struct probe_target {
    struct control *control;
    char *text;            /* the URL */
    struct url url;        /* slices into text */
    bool tls;              /* it asks for TLS */
    struct resolved *name; /* held, or NULL for an address */
    char *request;         /* the whole of it */
    size_t request_len;
};

/* NULL with err for a bad URL. */
struct probe_target *probe_target_new(struct control *c, struct slice url, struct error *err);
void probe_target_free(struct probe_target *t); /* NULL is fine */
