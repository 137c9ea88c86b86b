/* origin_failure.h - what went wrong with a connection to a backend, as verdicts: requests know neither TLS nor versions.
 *
 * Thread: the worker's. */
#pragma once
#include "guard/verdict.h"
#include <stdbool.h>

struct origin;

/* Of an error of connecting, -errno. */
enum verdict origin_failure_errno(int error);

/* Of o, which could not be connected, or timed out doing so. *error: in words, static; left alone when there are none. */
enum verdict origin_failure(const struct origin *o, const char **error);

/* Did the backend end the connection by an alert? */
bool origin_failure_is_alert(const struct origin *o);

/* Of o, whose TLS went wrong; *error as above. */
enum verdict origin_failure_tls(const struct origin *o, const char **error);
