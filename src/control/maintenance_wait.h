/* maintenance_wait.h - waiting until a page server or backends answer.
 *
 * In rounds, one every maintenance.check_interval: every URL is probed, and the wait is over with
 * the first round in which all answered below 500, or with maintenance.timeout. The URLs are asked
 * for anew in each round, as routes may change meanwhile; when there are none it is over, too.
 *
 * Thread: control. Ownership: whoever started it; it frees itself when done was called. */
#pragma once
#include "base/slice.h"
#include <stdbool.h>

struct backend_tls_choice;
struct control;
struct maintenance_wait;

/* Names its URLs by maintenance_wait_for. */
typedef void maintenance_gather(void *arg, struct maintenance_wait *w);

/* All have answered in this round: is it over? False: there is more to wait for, next round. */
typedef bool maintenance_ready(void *arg);

/* ready may be NULL: it is. done is called later, never from within this call. failure NULL: all answered; else the time was
 * over, and this is what was wrong last, for the log. */
struct maintenance_wait *maintenance_wait_start(struct control *c, maintenance_gather *gather,
                                                maintenance_ready *ready,
                                                void (*done)(void *arg, const char *failure),
                                                void *arg);

/* One URL for the round that begins; one that was named already is not probed twice. tls: how its certificate is verified. */
void maintenance_wait_for(struct maintenance_wait *w, const char *url, const struct backend_tls_choice *tls);

/* Ends it without calling done. *w becomes NULL. */
void maintenance_wait_cancel(struct maintenance_wait **w);
