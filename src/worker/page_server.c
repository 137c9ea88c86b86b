#include "worker/page_server.h"

#include "worker/attempt.h"
#include "worker/reply.h"
#include "worker/request_steps.h"

const struct slice page_server_mark = SLICE_INIT("X-Tidelock-Page");

/* Did a proxy like this one send it for a page? A page URL that leads back here would go round for ever. */
static bool is_page_request(const struct request *rq)
{
    for (unsigned i = 0; i < rq->head.field_count; i++)
        if (slice_eq_nocase(rq->head.fields[i].name, page_server_mark))
            return true;
    return false;
}

static bool can_ask(const struct request *rq, const struct member *server)
{
    return server && server->address_count && rq->head.body == BODY_NONE && !is_page_request(rq) &&
           (rq->head.method == METHOD_GET || rq->head.method == METHOD_HEAD);
}

enum step page_start(struct request *rq, const struct member *whose)
{
    bool ask = can_ask(rq, whose->page_server);

    rq->page = whose->maintenance;
    rq->whose = whose;
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

static bool is_one_of(struct slice name, const struct slice *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* Fields of the page that would make it outlive the maintenance, or contradict ours. */
static bool is_about_keeping(struct slice name)
{
    static const struct slice names[] = {
        SLICE_INIT("Retry-After"), SLICE_INIT("Cache-Control"), SLICE_INIT("Expires"),
        SLICE_INIT("ETag"), SLICE_INIT("Last-Modified"),
    };

    return is_one_of(name, names, sizeof(names) / sizeof(names[0]));
}

bool page_server_is_empty(const struct request *rq, const struct http_head *response)
{
    return is_html(response) && response->body == BODY_NONE && rq->head.method != METHOD_HEAD;
}

void page_server_response(const struct http_head *response, struct response_head *head,
                          struct field_list *fields)
{
    unsigned kept = 0;

    if (!is_html(response))
        return;
    for (unsigned i = 0; i < fields->count; i++)
        if (!is_about_keeping(fields->field[i].name))
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
        SLICE_INIT("If-Match"), SLICE_INIT("If-None-Match"), SLICE_INIT("If-Modified-Since"),
        SLICE_INIT("If-Unmodified-Since"), SLICE_INIT("If-Range"), SLICE_INIT("Range"),
    };

    return !is_one_of(field, about_backend, sizeof(about_backend) / sizeof(about_backend[0]));
}
