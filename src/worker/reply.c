#include "worker/reply.h"

#include "base/clock.h"
#include "config/page.h"
#include "config/snapshot.h"
#include "http/accept.h"
#include "http/status.h"
#include "script/hook.h"
#include "worker/forward.h"
#include "worker/grpc.h"
#include "worker/limit.h"
#include "worker/policy.h"
#include "worker/request.h"
#include "worker/scheme.h"

#include <stdio.h>
#include <time.h>

enum { ACCEPT_FIELDS_MAX = 8 };

/* Proxy-Status: tidelock; error=connection_refused; details="connect_refused" */
static void add_proxy_status(const struct request *rq, struct field_list *out)
{
    const struct verdict_info *v = &verdict_table[rq->verdict];
    uint32_t start = out->text_len;

    field_list_text(out, SLICE("tidelock"));
    if (v->error_type.len) {
        field_list_text(out, SLICE("; error="));
        field_list_text(out, v->error_type);
    }
    field_list_text(out, SLICE("; details=\""));
    field_list_text(out, v->name);
    if (rq->error) {
        field_list_text(out, SLICE(": "));
        field_list_text(out, slice_str(rq->error));
    }
    field_list_text(out, SLICE("\""));
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

static unsigned retry_after_s(const struct request *rq)
{
    unsigned seconds = verdict_retry_after_s(rq->verdict);

    if (seconds && rq->retry_after_s && rq->verdict != VERDICT_MAINTENANCE)
        return rq->retry_after_s;
    return seconds;
}

/* When to come again (0: nothing is said), and the verdict's own field. */
static void add_reason(enum verdict verdict, unsigned seconds, struct field_list *out)
{
    const struct verdict_info *v = &verdict_table[verdict];
    uint32_t start = out->text_len;
    char text[16];

    if (seconds) {
        field_list_text(out, slice_of(text, (size_t)snprintf(text, sizeof(text), "%u", seconds)));
        field_list_add(out, SLICE("Retry-After"), slice_of(out->text + start, out->text_len - start));
    }
    if (v->field.len)
        field_list_add(out, v->field, v->field_value);
}

void reply_maintenance_fields(struct field_list *out)
{
    add_reason(VERDICT_MAINTENANCE, verdict_retry_after_s(VERDICT_MAINTENANCE), out);
}

/* ---- the page */

static enum body_state source_peek(void *arg, struct slice *payload, bool *more)
{
    struct reply_source *source = arg;

    while (source->at < REPLY_PIECES && !source->piece[source->at].len)
        source->at++;
    if (source->at == REPLY_PIECES)
        return BODY_END;
    *payload = source->piece[source->at];
    *more = source->at + 1 < REPLY_PIECES && source->piece[source->at + 1].len;
    return BODY_DATA;
}

static void source_consume(void *arg, size_t n)
{
    struct reply_source *source = arg;

    if (n)
        source->piece[source->at] = slice_skip(source->piece[source->at], n);
}

static const struct source_ops reply_source_ops = {source_peek, source_consume};

static enum page_format choose_format(const struct request *rq)
{
    static const struct slice types[PAGE_FORMATS] = {
        [PAGE_HTML] = SLICE_INIT("text/html"),
        [PAGE_JSON] = SLICE_INIT("application/json"),
        [PAGE_TEXT] = SLICE_INIT("text/plain"),
    };
    struct slice values[ACCEPT_FIELDS_MAX];
    enum page_format format;
    unsigned count = 0;

    for (unsigned i = 0; i < rq->head.field_count && count < ACCEPT_FIELDS_MAX; i++) {
        if (slice_eq_nocase(rq->head.fields[i].name, SLICE("accept")))
            values[count++] = rq->head.fields[i].value;
    }
    format = (enum page_format)accept_choose(values, count, types, PAGE_FORMATS,
                                             page_default_format(rq->verdict));
    /* Services rely on the word; only browsers get more. */
    return rq->verdict == VERDICT_DRAINING && format == PAGE_JSON ? PAGE_TEXT : format;
}

/* Puts the page's pieces into rq->reply; returns its length. */
static uint64_t open_page(struct request *rq, enum page_format format)
{
    bool own = rq->page && rq->verdict == VERDICT_MAINTENANCE;
    const struct page *page = own ? rq->page : rq->lease->snapshot->pages->page[rq->verdict];
    const struct page_body *body = &page->body[format];
    const struct page_frame *frame = &page_detail_frame[format];
    uint64_t len = 0;

    if (rq->error && body->after.data)
        rq->reply = (struct reply_source){
            {body->before, frame->open, slice_str(rq->error), frame->close, body->after}, 0};
    else
        rq->reply = (struct reply_source){{body->whole}, 0};
    for (int i = 0; i < REPLY_PIECES; i++)
        len += rq->reply.piece[i].len;
    return len;
}

/* ---- the head */

/* A policy knows whom it answers. */
static bool is_grpc(const struct request *rq)
{
    return rq->verdict != VERDICT_POLICY_ANSWER && grpc_is_call(&rq->head);
}

static void add_fields(const struct request *rq, enum page_format format, struct field_list *out)
{
    static const struct slice types[PAGE_FORMATS] = {
        [PAGE_HTML] = SLICE_INIT("text/html; charset=utf-8"),
        [PAGE_JSON] = SLICE_INIT("application/json"),
        [PAGE_TEXT] = SLICE_INIT("text/plain; charset=utf-8"),
    };

    field_list_reset(out);
    add_date(out);
    if (rq->verdict == VERDICT_POLICY_ANSWER) {
        hook_answer_fields(rq->exchange, out);
    } else if (is_grpc(rq)) {
        grpc_answer_fields(verdict_table[rq->verdict].status, verdict_table[rq->verdict].text, out);
    } else {
        field_list_add(out, SLICE("Content-Type"), types[format]);
        field_list_add(out, SLICE("Vary"), SLICE("Accept"));
        field_list_add(out, SLICE("Cache-Control"), SLICE("no-store"));
    }
    add_reason(rq->verdict, retry_after_s(rq), out);
    if (scheme_redirects(rq->verdict))
        scheme_location(rq, out);
    add_proxy_status(rq, out);
    forward_defaults(rq, out);
    limit_fields(rq, out);
}

/* The head with its fields, and what the policy says to it. */
static void compose(struct request *rq, enum page_format format, struct response_head *head)
{
    struct field_list *fields = &rq->worker->fields;

    head->status = is_grpc(rq) ? 200 : verdict_table[rq->verdict].status;
    if (rq->verdict == VERDICT_POLICY_ANSWER)
        head->status = rq->exchange->status;
    add_fields(rq, format, fields);
    if (UNLIKELY(rq->exchange) && policy_response(rq, head, fields) != POLICY_DONE)
        add_fields(rq, format, fields); /* as if there were none */
}

/* The policy's body, or the page's. */
static uint64_t open_body(struct request *rq, enum page_format format)
{
    struct slice body = rq->file ? slice_of(rq->file, rq->file_len) : policy_body(rq);

    if (!body.data)
        return open_page(rq, format);
    rq->reply = (struct reply_source){{body}, 0};
    return body.len;
}

bool reply_start(struct request *rq)
{
    enum page_format format = rq->file ? PAGE_TEXT : choose_format(rq);
    struct response_head head = {
        .fields = &rq->worker->fields,
        .keep_alive = rq->keep_alive && rq->verdict != VERDICT_DRAINING,
        .moves_on = rq->verdict == VERDICT_DRAINING,
    };
    bool no_body, no_page = is_grpc(rq);

    compose(rq, format, &head);
    no_body = no_page || rq->head.method == METHOD_HEAD || !http_status_has_body(head.status);
    head.content_length = no_page ? 0 : open_body(rq, format);
    head.body = no_body ? BODY_NONE : BODY_LENGTH;
    head.tell_length = no_body && !no_page && http_status_has_body(head.status);
    rq->download.from = &reply_source_ops;
    rq->download.source = &rq->reply;
    if (no_body)
        rq->reply.at = REPLY_PIECES;
    if (!rq->codec->send_head(rq, &head, &rq->download))
        return false;
    rq->status = head.status;
    rq->response_started = true;
    rq->keep_alive = head.keep_alive;
    return true;
}
