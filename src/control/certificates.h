/* certificates.h - the certificates in force: loaded at the start, made anew when the configuration or a file changes.
 *
 * A pair that cannot be used any more keeps what it had: a bad file never takes a good certificate out of service. What is
 * made of them (c->tls) is published like any other change, and connections that are established go on with what they
 * began with.
 *
 * Thread: control. Ownership: struct control's; snapshots reference c->tls. */
#pragma once
#include "base/check.h"
#include <stdbool.h>
#include <stdint.h>

struct cli;
struct control;
struct settings;

/* Loads what c->settings name. False: said on standard error what is wrong. */
MUST_USE bool certificates_start(struct control *c);

/* Before new settings take force: loads what they name, and takes it into service with the next snapshot. False: logged
 * what is wrong, nothing changed. */
MUST_USE bool certificates_follow(struct control *c, const struct settings *settings);

/* Afterwards, with the settings in force: watches their files, rotates ticket keys as they say. */
void certificates_watch(struct control *c);

/* All workers have them: tells of those that were renewed. */
void certificates_published(struct control *c);

/* One certificate in force, for status; texts as long as it is in force. */
struct certificate_status {
    const char *file, *key, *fingerprint; /* key: "ECDSA" */
    const char *const *names;
    unsigned name_count;
    uint64_t not_before_ms, not_after_ms; /* wall clock */
    int days_left;                        /* full days; -1: it has expired */
    bool stapled;                         /* an OCSP answer goes with it */
    uint64_t stapled_until_ms;            /* 0: no end */
};

/* False: there are no more than i. */
bool certificates_status(const struct control *c, unsigned i, struct certificate_status *out);

/* Says on standard output and standard error what --check finds. */
MUST_USE bool certificates_check(const struct cli *cli, const struct settings *settings);

/* Also after a start that failed. */
void certificates_stop(struct control *c);
