#include "worker/page_server.h"

#include "worker/attempt.h"
#include "worker/reply.h"
#include "worker/request_steps.h"

static bool can_ask(const struct request *rq, const struct member *server)
{
    return server && server->address_count && rq->head.body == BODY_NONE &&
           (rq->head.method == METHOD_GET || rq->head.method == METHOD_HEAD);
}

enum step page_start(struct request *rq, const struct member *whose)
{
    bool ask = can_ask(rq, whose->page_server);

    rq->page = whose->maintenance;
    rq->retries_left = 0;
    rq->panic = false;
    attempt_target(rq, ask ? whose->page_server : whose);
    if (!ask || !rq->local)
        return request_refuse(rq, VERDICT_MAINTENANCE);
    rq->paging = true;
    rq->picked_us = rq->worker->now_us;
    return request_goto(rq, &request_step_connect);
}

static struct slice content_type(const struct http_head *response)
{
    for (unsigned i = 0; i < response->field_count; i++)
        if (slice_eq_nocase(response->fields[i].name, SLICE("Content-Type")))
            return response->fields[i].value;
    return SLICE("");
}

static bool is_html(const struct http_head *response)
{
    struct slice type = content_type(response);
    const char *end = memchr(type.data, ';', type.len);

    if (end)
        type.len = (size_t)(end - type.data);
    type = slice_trim(type);
    return slice_eq_nocase(type, SLICE("text/html")) ||
           slice_eq_nocase(type, SLICE("application/xhtml+xml"));
}

/* Fields of the page that would make it outlive the maintenance, or contradict ours. */
static bool is_replaced(struct slice name)
{
    return slice_eq_nocase(name, SLICE("Retry-After")) || slice_eq_nocase(name, SLICE("Cache-Control")) ||
           slice_eq_nocase(name, SLICE("Expires")) || slice_eq_nocase(name, SLICE("ETag")) ||
           slice_eq_nocase(name, SLICE("Last-Modified"));
}

void page_server_response(const struct http_head *response, struct response_head *head,
                          struct field_list *fields)
{
    unsigned kept = 0;

    if (!is_html(response))
        return;
    for (unsigned i = 0; i < fields->count; i++)
        if (!is_replaced(fields->field[i].name))
            fields->field[kept++] = fields->field[i];
    fields->count = kept;
    head->status = 503;
    head->reason = slice_of(NULL, 0);
    field_list_add(fields, SLICE("Cache-Control"), SLICE("no-store"));
    reply_maintenance_fields(fields);
}

bool page_server_takes(struct slice field)
{
    static const struct slice about_backend[] = {
        {"If-Match", 8},
        {"If-None-Match", 13},
        {"If-Modified-Since", 17},
        {"If-Unmodified-Since", 19},
        {"If-Range", 8},
        {"Range", 5},
    };

    for (size_t i = 0; i < sizeof(about_backend) / sizeof(about_backend[0]); i++)
        if (slice_eq_nocase(field, about_backend[i]))
            return false;
    return true;
}
