/* probe.h - one HTTP request to a backend URL, without a worker: BACKEND_TEST, maintenance pages,
 * health checks.
 *
 * Resolves, connects (each address in turn until one answers), sends GET, reads the head of the
 * final answer, closes. So many run at a time (control/probe_places.h); more wait, and their time begins when they run. https and wss: with TLS, as the route that it is for says; without a route a
 * certificate that does not verify is reported, not an error.
 *
 * Thread: control. Ownership: the probe frees itself when done was called, exactly once. */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

struct backend_tls_choice;
struct control;
struct probe;
struct probe_target;

/* X(ID, token): why no answer came. A time-out is one, whether or not the connection stood. */
#define PROBE_CAUSES(X)                                                                            \
    X(ANSWERED, "answered")                                                                        \
    X(NAME_NOT_RESOLVED, "name_not_resolved")                                                      \
    X(CONNECTION_REFUSED, "connection_refused")                                                    \
    X(CONNECTION_TIMEOUT, "connection_timeout")                                                    \
    X(CONNECTION_FAILED, "connection_failed")                                                      \
    X(TLS_FAILED, "tls_failed")                                                                    \
    X(TLS_CERTIFICATE, "tls_certificate")                                                          \
    X(BAD_ANSWER, "bad_answer")

enum probe_cause {
#define PROBE_CAUSE_ID(id, token) PROBE_##id,
    PROBE_CAUSES(PROBE_CAUSE_ID)
#undef PROBE_CAUSE_ID
};

struct probe_result {
    bool reachable;         /* an HTTP answer came */
    enum probe_cause cause; /* of no answer; ANSWERED when reachable */
    int status;             /* its status code */
    uint64_t elapsed_ms;    /* from start to the head's end, or to the failure */
    bool tls;               /* the URL asked for TLS */
    bool tls_valid;         /* and the certificate verified */
    char error[128]; /* why not reachable: "connection refused", "timed out after 5s", ...; or what
                        is wrong with the certificate; else "" */
};

/* The token of a cause: "connection_refused". */
const char *probe_cause_token(enum probe_cause cause);

/* Starts; done(arg, result) is called later, never from within this call. tls: as a route says, NULL: certificates are reported
 * only. NULL with err for a bad URL. */
struct probe *probe_start(struct control *c, struct slice url, const struct backend_tls_choice *tls, uint64_t timeout_ms,
                          void (*done)(void *arg, const struct probe_result *result), void *arg,
                          struct error *err);

/* A health check, of a target that is kept, see control/probe_target.h. */
struct probe *probe_run(struct probe_target *t, uint64_t timeout_ms,
                        void (*done)(void *arg, const struct probe_result *result), void *arg);

/* Ends it without calling done. *p becomes NULL. */
void probe_cancel(struct probe **p);
