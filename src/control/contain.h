/* contain.h - what the proxy gives up once everything that takes a privilege is open: who it is, files, system calls.
 *
 * Happens between the opening of listeners, logs and keys and the making of workers, so that all threads that serve
 * are bound from their first moment. Settings: user, group, sandbox, sandbox_paths, core_dumps; all hold until the
 * program ends.
 *
 * Thread: control, while it is the only one. */
#pragma once
#include "base/check.h"
#include "base/error.h"

struct control;
struct settings;

/* Are the user and the group of the settings there, and can this process become them? */
MUST_USE bool contain_check(const struct settings *s, struct error *err);

/* Gives up what the settings say. False: said on standard error what is wrong, and the program has to end. What will have
 * to be read again and cannot be is a warning, with owner and mode. */
MUST_USE bool contain(struct control *c);
