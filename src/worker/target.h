/* target.h - where a request wants to go: its host, and its path in the form that is routed on (http/path.h).
 *
 * From here on head.path is that form, with the query as it came; head.target stays what the client wrote. So routes, policies,
 * redirects, page servers and backends see one path.
 *
 * Thread: the worker's. */
#pragma once
#include "guard/verdict.h"

struct request;

/* Fills rq->host and rq->path. Anything but PASS: the request is refused, rq->error says what is wrong. May be called again. */
enum verdict target_read(struct request *rq);
