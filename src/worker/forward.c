#include "worker/forward.h"

#include "http/write.h"
#include "worker/client.h"
#include "worker/limit.h"
#include "worker/page_server.h"
#include "worker/policy.h"
#include "worker/request.h"

/* What one request's forwarding fields are made of. */
struct forwarding {
    const struct http_head *head;
    const struct settings *settings;
    struct slice peer; /* the client's address, without port */
    struct slice proto; /* how the client speaks to us: "http", "https" */
    bool trusted;      /* the client is a proxy whose fields are believed */
    bool guarded;      /* some names are not the client's to say: client_may_say */
};

bool forward_is_trusted(const struct settings *settings, const struct address *peer)
{
    for (unsigned i = 0; i < settings->trusted_proxy_count; i++)
        if (cidr_contains(&settings->trusted_proxies[i], peer))
            return true;
    return false;
}

static SELDOM void join(struct field_list *out, struct slice name, const struct http_head *head,
                        enum http_field_id id, struct slice more)
{
    uint32_t start = out->text_len;

    for (unsigned i = 0; i < head->field_count; i++) {
        if (head->fields[i].id != id || !head->fields[i].value.len)
            continue;
        field_list_text(out, head->fields[i].value);
        field_list_text(out, SLICE(", "));
    }
    if (out->text_len == start) {
        field_list_add(out, name, more);
        return;
    }
    field_list_text(out, more);
    field_list_add(out, name, slice_of(out->text + start, out->text_len - start));
}

/* Adds name with the incoming fields of this id joined by ", ", and more behind them. */
static void add_joined(struct field_list *out, struct slice name, const struct http_head *head,
                       enum http_field_id id, struct slice more)
{
    if (head && http_head_may_have(head, id))
        join(out, name, head, id, more);
    else
        field_list_add(out, name, more);
}

/* What the field with this id says, if it is believed, else our own value. */
static struct slice believed(const struct forwarding *f, enum http_field_id id, struct slice own)
{
    const struct http_field *field = f->trusted ? http_head_find(f->head, id) : NULL;

    return field ? field->value : own;
}

/* Forwarded: for=192.0.2.1;host=example.com;proto=http (RFC 7239). */
static SELDOM void add_forwarded(struct field_list *out, const struct forwarding *f)
{
    char text[ADDRESS_TEXT_SIZE + 300];
    bool v6 = memchr(f->peer.data, ':', f->peer.len) != NULL;
    size_t host = f->head->host.len > 200 ? 200 : f->head->host.len;
    int len = snprintf(text, sizeof(text), "for=%s%.*s%s;host=\"%.*s\";proto=%s", v6 ? "\"[" : "",
                       SLICE_ARGS(f->peer), v6 ? "]\"" : "", (int)host, f->head->host.data, f->proto.data);
    uint32_t start = out->text_len;

    field_list_text(out, slice_of(text, (size_t)len));
    add_joined(out, SLICE("Forwarded"), f->trusted ? f->head : NULL, FIELD_FORWARDED,
               slice_of(out->text + start, out->text_len - start));
}

static void add_forwarding(const struct forwarding *f, struct field_list *out)
{
    add_joined(out, SLICE("X-Forwarded-For"), f->trusted ? f->head : NULL, FIELD_X_FORWARDED_FOR,
               f->peer);
    field_list_add(out, SLICE("X-Forwarded-Proto"), believed(f, FIELD_X_FORWARDED_PROTO, f->proto));
    field_list_add(out, SLICE("X-Forwarded-Host"), believed(f, FIELD_X_FORWARDED_HOST, f->head->host));
    field_list_add(out, SLICE("X-Real-IP"), believed(f, FIELD_X_REAL_IP, f->peer));
    if (f->settings->forwarded)
        add_forwarded(out, f);
}

static void add_via(struct field_list *out, const struct http_head *head)
{
    add_joined(out, SLICE("Via"), head, FIELD_VIA, head->via);
}

/* The operators' secret is no backend's business. */
static bool is_bypass(const struct settings *s, struct slice name)
{
    return s->bypass_header && http_names_alike(name, slice_str(s->bypass_header));
}

/* Only we may tell backends about the client's certificate. */
static bool is_certificate(const struct settings *s, struct slice name)
{
    return s->tls.pair_count &&
           (http_names_alike(name, s->tls.subject_header) || http_names_alike(name, s->tls.verify_header));
}

/* May the client say this, in a head or behind a body? */
static bool client_may_say(const struct request *rq, struct slice name)
{
    const struct settings *s = rq->lease->snapshot->settings;

    return !is_bypass(s, name) && !is_certificate(s, name) && (!rq->paging || page_server_takes(name));
}

/* Is there anything that client_may_say refuses? A condition of it is one here, too. */
static bool is_guarded(const struct request *rq, const struct settings *s)
{
    return s->bypass_header || s->tls.pair_count || rq->paging;
}

bool forward_trailer(const struct request *rq, const struct http_field *trailer)
{
    return client_may_say(rq, trailer->name) && !(rq->exchange && hook_edit_of(rq->exchange, trailer->name));
}

static void add_certificate(const struct request *rq, const struct settings *s, struct field_list *out)
{
    const char *subject = client_subject(rq->client);

    if (s->tls.client_certificates == TLS_CLIENT_CERTIFICATES_OFF)
        return;
    field_list_add(out, s->tls.verify_header, subject ? SLICE("SUCCESS") : SLICE("NONE"));
    if (subject)
        field_list_add(out, s->tls.subject_header, slice_str(subject));
}

/* Does a request field pass as it is? */
static bool request_field_passes(const struct http_head *head, const struct http_field *field,
                                 const struct forwarding *f)
{
    switch (field->id) {
    case FIELD_OTHER:
        return !field->hop_by_hop;
    case FIELD_HOST:
    case FIELD_CONTENT_LENGTH:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_VIA:
    case FIELD_X_FORWARDED_FOR:
    case FIELD_X_FORWARDED_PROTO:
    case FIELD_X_FORWARDED_HOST:
    case FIELD_X_REAL_IP:
        return false;
    case FIELD_EXPECT:
        return false; /* written anew, see forward_request */
    case FIELD_MAX_FORWARDS:
        return !http_counts_forwards(head->method);
    case FIELD_FORWARDED:
        return f->trusted && !f->settings->forwarded;
    default:
        return !field->hop_by_hop;
    }
}

/* What was understood of Expect, and of Max-Forwards what admit.c has let pass: one step less. */
static void add_controls(struct field_list *out, const struct http_head *head)
{
    const struct http_field *steps;
    char digits[WRITE_DIGITS];
    uint64_t n;

    if (UNLIKELY(head->expect_continue))
        field_list_add(out, SLICE("Expect"), SLICE("100-continue"));
    if (LIKELY(!http_counts_forwards(head->method)))
        return;
    steps = http_head_find(head, FIELD_MAX_FORWARDS);
    if (!steps || !http_read_length(steps->value, &n) || !n)
        return;
    field_list_copy(out, SLICE("Max-Forwards"), write_digits(digits, n - 1));
}

void forward_request(const struct request *rq, struct field_list *out)
{
    const struct http_head *head = &rq->head;
    struct forwarding f = {.head = head, .settings = rq->lease->snapshot->settings,
                           .proto = rq->client->secure ? SLICE("https") : SLICE("http")};
    bool own_host = !rq->member->preserve_host || !head->host.len;

    field_list_reset(out);
    out->text_len = (uint32_t)address_format_ip(&rq->client->peer, out->text);
    f.peer = slice_of(out->text, out->text_len);
    f.trusted = forward_is_trusted(f.settings, &rq->client->peer);
    f.guarded = is_guarded(rq, f.settings);
    field_list_add(out, SLICE("Host"),
                   policy_host(rq, own_host ? rq->member->host : head->host));
    for (unsigned i = 0; i < head->field_count; i++)
        if (request_field_passes(head, &head->fields[i], &f) &&
            (LIKELY(!f.guarded) || client_may_say(rq, head->fields[i].name)))
            field_list_add(out, head->fields[i].name, head->fields[i].value);
    if (!rq->paging)
        add_controls(out, head);
    add_forwarding(&f, out);
    add_certificate(rq, f.settings, out);
    add_via(out, head);
    if (rq->paging)
        field_list_add(out, page_server_mark, SLICE("1"));
    if (head->te_trailers && !rq->upgrading) {
        field_list_add(out, SLICE("TE"), SLICE("trailers"));
        field_list_add(out, SLICE("Connection"), SLICE("TE"));
    }
    if (UNLIKELY(rq->exchange) && !rq->paging)
        hook_edit_fields(rq->exchange, out);
}

static bool names(const struct header_value *headers, unsigned count, struct slice name)
{
    for (unsigned i = 0; i < count; i++)
        if (slice_eq_nocase(headers[i].name, name))
            return true;
    return false;
}

/* Is this response field set by the service or by the configuration instead? */
static bool is_replaced(const struct request *rq, struct slice name)
{
    const struct settings *s = rq->lease->snapshot->settings;
    const struct member *m = rq->member;

    return (m && names(m->headers, m->header_count, name)) ||
           names(s->response_headers, s->response_header_count, name);
}

/* What the response says by itself stays: the proxy's own answers know better when to come again. */
static void add_default(struct field_list *out, const struct header_value *header)
{
    for (unsigned i = 0; i < out->count; i++)
        if (slice_eq_nocase(out->field[i].name, header->name))
            return;
    field_list_add(out, header->name, header->value);
}

void forward_defaults(const struct request *rq, struct field_list *out)
{
    const struct settings *s = rq->lease ? rq->lease->snapshot->settings : worker_settings(rq->worker);
    const struct member *m = rq->member;

    for (unsigned i = 0; i < s->response_header_count; i++)
        if (!m || !names(m->headers, m->header_count, s->response_headers[i].name))
            add_default(out, &s->response_headers[i]);
    for (unsigned i = 0; m && i < m->header_count; i++)
        add_default(out, &m->headers[i]);
}

void forward_response(const struct request *rq, const struct http_head *response,
                      struct field_list *out)
{
    bool any_set = rq->member->header_count || rq->lease->snapshot->settings->response_header_count;

    field_list_reset(out);
    for (unsigned i = 0; i < response->field_count; i++) {
        const struct http_field *field = &response->fields[i];

        if (field->hop_by_hop || field->id == FIELD_CONTENT_LENGTH || field->id == FIELD_VIA ||
            field->id == FIELD_TRANSFER_ENCODING)
            continue;
        if (any_set && is_replaced(rq, field->name))
            continue;
        field_list_add(out, field->name, field->value);
    }
    add_via(out, response);
    if (any_set)
        forward_defaults(rq, out);
    if (rq->limited && response->status >= 200)
        limit_fields(rq, out);
}
