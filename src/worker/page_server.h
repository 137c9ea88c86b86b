/* page_server.h - a maintenance page that the service itself serves from elsewhere.
 *
 * A GET or HEAD for a member in maintenance goes to its page server, if it has one, like to any backend. What comes back as
 * HTML is sent with status 503, whatever the page server said; its style sheets and pictures pass as they are.
 * If it cannot be reached, and for every other method, the built-in page is the answer.
 *
 * Thread: the worker's. */
#pragma once
#include "worker/request.h"

struct response_head;

/* The field by which a request for a page is known. */
extern const struct slice page_server_mark;

/* whose, in maintenance, is what the request is for: sends it to the page server, or to the built-in page. */
enum step page_start(struct request *rq, const struct member *whose);

/* Is it a page without a body (204, 304)? Then there is nothing to show. */
bool page_server_is_empty(const struct request *rq, const struct http_head *response);

/* The page server's answer on its way to the client. fields are what the client gets of it. */
void page_server_response(const struct http_head *response, struct response_head *head,
                          struct field_list *fields);

/* Does a request field make sense there? Conditions and ranges are about the backend's own answer. */
bool page_server_takes(struct slice field);
