/* probe_target.h - where probes go, and what they send: what many probes of one URL share.
 *
 * The name is held, and so kept resolved, for as long as the target lives.
 *
 * Thread: control. Ownership: its maker's; it outlives its probes. */
#pragma once
#include "base/error.h"
#include "config/url.h"

struct backend_tls_choice;
struct control;
struct resolved;
struct tls_client;

struct probe_target {
    struct control *control;
    char *text;            /* the URL */
    struct url url;        /* slices into text */
    bool tls;              /* it asks for TLS */
    struct backend_tls_choice *choice; /* how, with texts of its own; NULL: certificates are reported only */
    char *tls_name;                    /* for SNI and verification, or an address */
    bool tls_name_is_ip;
    struct resolved *name; /* held, or NULL for an address */
    char *request;         /* the whole of it */
    size_t request_len;
};

/* tls is copied; NULL: certificates are reported only. NULL with err for a bad URL. */
struct probe_target *probe_target_new(struct control *c, struct slice url, const struct backend_tls_choice *tls,
                                      struct error *err);

/* The context for its next connection: as the configuration in force has it. */
const struct tls_client *probe_target_tls(const struct probe_target *t);
void probe_target_free(struct probe_target *t); /* NULL is fine */
