/* certificates_state.h - what control/certificates*.c keep of the certificates in force.
 *
 * Thread: control. */
#pragma once
#include "base/digest.h"
#include "tls/certificate.h"
#include <ev.h>

struct control;
struct file_watch;
struct tickets;

/* One for each pair of the settings, in their order; referenced. */
struct certificate_list {
    struct certificate **of;
    unsigned count;
};

struct certificates {
    struct control *control;
    struct certificate_list list; /* of c->settings */
    uint8_t client_ca[DIGEST_SHA256_SIZE]; /* digest of tls.client_ca's file, as it was taken */
    struct tickets *tickets;
    struct file_watch *watch;
    ev_timer rotation;
    ev_timer daily;
};

/* certificates_tell.c: says of certificates whose end is near, each of 30, 7 and 1 days and the end once. */
void certificates_tell_expiry(struct certificates *cs);

/* Says of those that were renewed, in the log and to subscribers. */
void certificates_tell_renewed(struct certificates *cs);

/* Full days until the end of a certificate; -1 and less: it is past. */
int certificate_days_left(const struct certificate *c);
