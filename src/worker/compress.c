#include "worker/compress.h"

#include "config/snapshot.h"
#include "http/accept_encoding.h"
#include "http/field_list.h"
#include "http/media_type.h"
#include "http/status.h"
#include "worker/codec.h"
#include "worker/compress_source.h"
#include "worker/grpc.h"
#include "worker/request.h"

enum { ACCEPT_FIELDS_MAX = 8 };

static const struct slice vary = SLICE_INIT("Vary"), etag = SLICE_INIT("ETag"),
                          content_encoding = SLICE_INIT("Content-Encoding"),
                          accept_encoding = SLICE_INIT("Accept-Encoding");

/* ---- whether */

/* Does a field of this name list the word? An argument ("no-transform=x") makes it another word. */
static bool fields_list(const struct field_list *fields, struct slice name, struct slice word)
{
    for (unsigned i = 0; i < fields->count; i++)
        if (slice_eq_nocase(fields->field[i].name, name) && http_list_has(fields->field[i].value, word))
            return true;
    return false;
}

static bool request_forbids(const struct http_head *head)
{
    for (unsigned i = 0; i < head->field_count; i++)
        if (slice_eq_nocase(head->fields[i].name, SLICE("Cache-Control")) &&
            http_list_has(head->fields[i].value, SLICE("no-transform")))
            return true;
    return false;
}

/* What is encoded already, a part, or vouched for byte by byte. */
static bool is_fixed(const struct field_list *fields)
{
    static const struct slice marks[] = {
        SLICE_INIT("Content-Range"), SLICE_INIT("Content-MD5"), SLICE_INIT("Digest"),
        SLICE_INIT("Content-Digest"), SLICE_INIT("Repr-Digest"),
    };

    for (unsigned i = 0; i < fields->count; i++)
        if (slice_eq_nocase(fields->field[i].name, content_encoding) &&
            !slice_eq_nocase(fields->field[i].value, SLICE("identity")))
            return true;
    for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (field_list_find(fields, marks[i]).data)
            return true;
    return fields_list(fields, SLICE("Cache-Control"), SLICE("no-transform"));
}

static bool is_large(const struct response_head *head, const struct settings *settings)
{
    bool known = head->body == BODY_LENGTH || head->tell_length;

    return !known || head->content_length >= settings->compress_min_size;
}

/* May some client get this response compressed? */
static bool is_compressible(const struct response_head *head, const struct settings *settings)
{
    return http_status_has_body(head->status) && head->status != 205 && head->status != 206 &&
           is_large(head, settings) &&
           media_type_in(field_list_find(head->fields, SLICE("Content-Type")), settings->compress_types,
                         settings->compress_type_count) &&
           !is_fixed(head->fields);
}

/* ---- how */

static enum encoder_kind kind_named(struct slice name)
{
    enum encoder_kind kind = 0;

    while (kind < ENCODER_KINDS && !(encoder_available(kind) && slice_eq(name, encoder_name(kind))))
        kind++;
    return kind;
}

/* The coding that this client wants; ENCODER_KINDS: none. */
static enum encoder_kind choose(const struct http_head *head, const struct settings *settings)
{
    struct slice values[ACCEPT_FIELDS_MAX], offers[ENCODER_KINDS];
    unsigned value_count = 0, offer_count = 0, chosen;

    for (unsigned i = 0; i < head->field_count && value_count < ACCEPT_FIELDS_MAX; i++)
        if (slice_eq_nocase(head->fields[i].name, accept_encoding))
            values[value_count++] = head->fields[i].value;
    for (unsigned i = 0; i < settings->compress_order_count && offer_count < ENCODER_KINDS; i++)
        if (kind_named(settings->compress_order[i]) < ENCODER_KINDS)
            offers[offer_count++] = settings->compress_order[i];
    chosen = accept_encoding_choose(values, value_count, offers, offer_count);
    return chosen < offer_count ? kind_named(offers[chosen]) : ENCODER_KINDS;
}

/* An encoder for the body, in rq->compress. False: there is none, or too much is being compressed. */
static bool start(struct request *rq, enum encoder_kind kind, const struct response_head *head)
{
    struct compressor *c = compressor_of(rq->worker);
    struct encoder *e = NULL;

    if (c && !compressor_is_overworked(c))
        e = compressor_take(c, kind);
    if (!e)
        return false;
    if (encoder_start(e, head->body == BODY_LENGTH ? head->content_length : ENCODER_SIZE_UNKNOWN))
        rq->compress = compress_source_new(rq, c, e);
    if (!rq->compress)
        compressor_give(c, &e);
    return rq->compress != NULL;
}

/* ---- the head */

/* The value of a field made of two texts, in the list's own memory. */
static struct slice joined(struct field_list *fields, struct slice a, struct slice b)
{
    uint32_t start = fields->text_len;

    field_list_text(fields, a);
    field_list_text(fields, b);
    return slice_of(fields->text + start, fields->text_len - start);
}

static void vary_with_encoding(struct field_list *fields)
{
    struct slice value = field_list_find(fields, vary);

    if (fields_list(fields, vary, accept_encoding) || fields_list(fields, vary, SLICE("*")))
        return;
    if (!value.len) {
        field_list_add(fields, vary, accept_encoding);
        return;
    }
    for (unsigned i = 0; i < fields->count; i++) {
        if (slice_eq_nocase(fields->field[i].name, vary)) {
            fields->field[i].value = joined(fields, value, SLICE(", Accept-Encoding"));
            return;
        }
    }
}

/* The encoded bytes are not those that a strong tag stands for (RFC 9110 8.8.3.3). */
static void weaken_etag(struct field_list *fields)
{
    for (unsigned i = 0; i < fields->count; i++) {
        struct slice *value = &fields->field[i].value;

        if (slice_eq_nocase(fields->field[i].name, etag) && !slice_starts(*value, SLICE("W/")))
            *value = joined(fields, SLICE("W/"), *value);
    }
}

/* 304 to a client that has the compressed response, as its tag says: the head has to name that one. */
static void not_modified(const struct request *rq, struct field_list *fields)
{
    struct slice tag = field_list_find(fields, etag);

    if (!tag.len || slice_starts(tag, SLICE("W/")))
        return;
    for (unsigned i = 0; i < rq->head.field_count; i++) {
        struct slice rest = rq->head.fields[i].value, one;

        if (!slice_eq_nocase(rq->head.fields[i].name, SLICE("If-None-Match")))
            continue;
        while (http_list_next(&rest, &one)) {
            if (slice_starts(one, SLICE("W/")) && slice_eq(slice_skip(one, 2), tag)) {
                weaken_etag(fields);
                vary_with_encoding(fields);
                return;
            }
        }
    }
}

static void edit_head(struct response_head *head, struct field_list *fields, enum encoder_kind kind)
{
    field_list_remove(fields, content_encoding);
    field_list_remove(fields, SLICE("Accept-Ranges"));
    field_list_add(fields, content_encoding, encoder_name(kind));
    weaken_etag(fields);
    head->tell_length = false;
    if (head->body != BODY_NONE)
        head->body = BODY_CHUNKED;
}

void compress_head(struct request *rq, struct response_head *head)
{
    struct field_list *fields = &rq->worker->fields;
    const struct settings *settings = rq->lease->snapshot->settings;
    enum encoder_kind kind;

    if (head->status == 304)
        not_modified(rq, fields);
    if (!is_compressible(head, settings) || grpc_is_call(&rq->head)) /* it has codings of its own */
        return;
    vary_with_encoding(fields);
    kind = choose(&rq->head, settings);
    if (kind == ENCODER_KINDS || request_forbids(&rq->head))
        return;
    if (head->body != BODY_NONE && !start(rq, kind, head)) {
        if (rq->local)
            COUNTER_ADD(rq->local->rest->compress_skipped, 1);
        return;
    }
    edit_head(head, fields, kind);
}

void compress_count(const struct request *rq, struct route_local *local)
{
    if (!rq->compress->taken) /* the head did not fit, or there was no body */
        return;
    COUNTER_ADD(local->rest->compressed, 1);
    COUNTER_ADD(local->rest->compressed_in, rq->compress->taken);
    COUNTER_ADD(local->rest->compressed_out, rq->compress->given);
}
