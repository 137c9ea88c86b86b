/* response.h - the second half of a request: sending its body, reading the response, relaying that.
 *
 * Both directions go on at the same time: a backend may answer before it has the whole body.
 *
 * Thread: the worker's. */
#pragma once
#include "worker/request.h"

/* The steps send_body, read_response and relay_body. */
enum step response_send_body(struct request *rq);
enum step response_read(struct request *rq);
enum step response_relay(struct request *rq);
