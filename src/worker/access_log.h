/* access_log.h - one line a request: off, key=value text, or JSON.
 *
 * Fields: time, client, method, host, path, protocol, route, service, instance, member (address), status, sent and received (body
 * bytes), wait, connect, first_byte and total (milliseconds with three decimals; "-" or null where never reached), retries,
 * verdict (why the proxy answered itself) and, in text, the same names.
 *
 * Thread: the worker's; the line goes to the log thread and never blocks. */
#pragma once

struct request;

/* Writes the line for an ended request, if access lines are on. */
void access_log_write(struct request *rq);
