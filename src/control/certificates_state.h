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

/* What settings name, as it was loaded. */
struct certificate_list {
    struct certificate **of; /* one for each pair, in their order; referenced */
    unsigned count;
    char *client_ca; /* text of the file; NULL: no client certificates */
    size_t client_ca_len;
};

struct certificates {
    struct control *control;
    struct certificate_list list; /* of c->settings */
    struct tickets *tickets;
    struct file_watch *watch;
    ev_timer rotation;
    ev_timer daily;
};

/* certificates_load.c: reads what config names. What cannot be used keeps what c has in force in its place, which is
 * logged; false: err, something new cannot be used, *out is empty. */
MUST_USE bool certificate_list_load(const struct control *c, const struct tls_config *config,
                                    struct certificate_list *out, struct error *err);
bool certificate_list_same(const struct certificate_list *a, const struct certificate_list *b);
void certificate_list_free(struct certificate_list *list);

/* certificates_tell.c: says of certificates whose end is near, each of 30, 7 and 1 days and the end once. */
void certificates_tell_expiry(struct certificates *cs);

/* Says of those that were renewed, in the log and to subscribers. */
void certificates_tell_renewed(struct certificates *cs);

/* Full days until the end of a certificate; -1 and less: it is past. */
int certificate_days_left(const struct certificate *c);
