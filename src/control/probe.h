/* probe.h - one HTTP request from control to a URL: BACKEND_TEST now, health checks later.
 *
 * Resolves, connects (to each address in turn until one answers), sends GET, reads the head of the
 * final answer, closes. https and wss: with TLS; a certificate that does not verify is reported,
 * not an error.
 *
 * Thread: control. Ownership: the probe frees itself when done was called, exactly once. */
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

struct control;
struct probe;

struct probe_result {
    bool reachable;      /* an HTTP answer came */
    int status;          /* its status code */
    uint64_t elapsed_ms; /* from start to the head's end, or to the failure */
    bool tls;            /* the URL asked for TLS */
    bool tls_valid;      /* and the certificate verified */
    char error[128]; /* why not reachable: "connection refused", "timed out after 5s", ...; or what
                        is wrong with the certificate; else "" */
};

/* Starts; done(arg, result) is called later, never from within this call. NULL with err for a bad
 * URL. */
struct probe *probe_start(struct control *c, struct slice url, uint64_t timeout_ms,
                          void (*done)(void *arg, const struct probe_result *result), void *arg,
                          struct error *err);

/* Ends it without calling done. *p becomes NULL. */
void probe_cancel(struct probe **p);
