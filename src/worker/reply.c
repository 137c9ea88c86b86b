#include "worker/reply.h"

#include "base/clock.h"
#include "http/status.h"
#include "worker/forward.h"
#include "worker/limit.h"
#include "worker/request.h"

#include <stdio.h>
#include <time.h>

/* Proxy-Status: tidelock; error=connection_refused */
static void add_proxy_status(const struct request *rq, struct field_list *out)
{
    const struct verdict_info *v = &verdict_table[rq->verdict];
    uint32_t start = out->text_len;

    field_list_text(out, SLICE("tidelock; error="));
    field_list_text(out, v->error_type);
    if (rq->error) {
        field_list_text(out, SLICE("; details=\""));
        field_list_text(out, slice_str(rq->error));
        field_list_text(out, SLICE("\""));
    }
    field_list_add(out, SLICE("Proxy-Status"), slice_of(out->text + start, out->text_len - start));
}

static void add_date(struct field_list *out)
{
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm tm;
    char text[40];
    uint32_t start = out->text_len;

    gmtime_r(&now, &tm);
    field_list_text(out, slice_of(text, strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm)));
    field_list_add(out, SLICE("Date"), slice_of(out->text + start, out->text_len - start));
}

static void add_own_field(enum verdict verdict, struct field_list *out)
{
    const struct verdict_info *v = &verdict_table[verdict];

    if (v->field.len)
        field_list_add(out, v->field, v->field_value);
}

void reply_maintenance_fields(struct field_list *out)
{
    field_list_add(out, SLICE("Retry-After"), SLICE("300"));
    add_own_field(VERDICT_MAINTENANCE, out);
}

static void add_reason(const struct request *rq, struct field_list *out)
{
    int status = verdict_table[rq->verdict].status;
    char text[16];
    uint32_t start = out->text_len;

    add_own_field(rq->verdict, out);
    if (status != 503 && status != 429)
        return;
    field_list_text(out, slice_of(text, (size_t)snprintf(text, sizeof(text), "%u",
                                                         rq->retry_after_s ? rq->retry_after_s : 5)));
    field_list_add(out, SLICE("Retry-After"), slice_of(out->text + start, out->text_len - start));
}

static size_t write_page(const struct request *rq, char *page, size_t size)
{
    const struct verdict_info *v = &verdict_table[rq->verdict];
    struct slice reason = http_status_reason(v->status);
    int n = snprintf(page, size,
                     "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<title>%d %.*s</title></head>\n"
                     "<body><h1>%d %.*s</h1><p>%.*s</p>%s%s%s</body></html>\n",
                     v->status, SLICE_ARGS(reason), v->status, SLICE_ARGS(reason),
                     SLICE_ARGS(v->text), rq->error ? "<p>It says: " : "",
                     rq->error ? rq->error : "", rq->error ? "</p>" : "");

    return (size_t)n < size ? (size_t)n : size - 1;
}

bool reply_send(struct request *rq)
{
    struct field_list *fields = &rq->worker->fields;
    const struct verdict_info *v = &verdict_table[rq->verdict];
    char page[1024];
    struct slice body = slice_of(page, write_page(rq, page, sizeof(page)));
    bool no_body = rq->head.method == METHOD_HEAD;
    struct response_head head = {
        .status = v->status,
        .fields = fields,
        .body = no_body ? BODY_NONE : BODY_LENGTH,
        .content_length = body.len,
        .tell_length = no_body,
        .keep_alive = rq->keep_alive && rq->verdict != VERDICT_DRAINING,
    };

    field_list_reset(fields);
    add_date(fields);
    field_list_add(fields, SLICE("Content-Type"), SLICE("text/html; charset=utf-8"));
    field_list_add(fields, SLICE("Cache-Control"), SLICE("no-store"));
    if (rq->verdict == VERDICT_MAINTENANCE)
        reply_maintenance_fields(fields);
    else
        add_reason(rq, fields);
    add_proxy_status(rq, fields);
    forward_defaults(rq, fields);
    limit_fields(rq, fields);
    if (!rq->codec->send_reply(rq, &head, body))
        return false;
    rq->status = v->status;
    rq->response_started = true;
    rq->keep_alive = head.keep_alive;
    rq->download.moved = no_body ? 0 : body.len;
    return true;
}
