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

struct control;
struct settings;

/* Loads what c->settings name. False: said on standard error what is wrong. */
MUST_USE bool certificates_start(struct control *c);

/* Before new settings take force: loads what they name, and takes it into service with the next snapshot. False: logged
 * what is wrong, nothing changed. */
MUST_USE bool certificates_follow(struct control *c, const struct settings *settings);

/* Says on standard output and standard error what --check finds. */
MUST_USE bool certificates_check(const struct settings *settings);

/* Also after a start that failed. */
void certificates_stop(struct control *c);
