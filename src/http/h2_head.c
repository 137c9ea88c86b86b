#include "http/h2_head.h"

#include "http/status.h"
#include "http/write.h"

/* ---- reading */

/* One head on its way into a struct http_head. */
struct reading {
    struct http_head *head;
    const char *error; /* NULL: nothing is wrong so far */
    struct slice method, scheme, path, authority, protocol, status;
    bool has_length;
    unsigned cookies;
};

static bool fail(struct reading *r, const char *error)
{
    if (!r->error)
        r->error = error;
    return false;
}

static bool read_pseudo(struct reading *r, struct slice name, struct slice value)
{
    bool request = r->head->status == 0;
    struct slice *to = NULL;

    if (request && slice_eq(name, SLICE(":method")))
        to = &r->method;
    else if (request && slice_eq(name, SLICE(":scheme")))
        to = &r->scheme;
    else if (request && slice_eq(name, SLICE(":path")))
        to = &r->path;
    else if (request && slice_eq(name, SLICE(":authority")))
        to = &r->authority;
    else if (request && slice_eq(name, SLICE(":protocol")))
        to = &r->protocol;
    else if (!request && slice_eq(name, SLICE(":status")))
        to = &r->status;
    if (!to)
        return fail(r, "unknown pseudo-header field");
    if (to->data)
        return fail(r, "repeated pseudo-header field");
    if (r->head->field_count)
        return fail(r, "pseudo-header field behind others");
    *to = value;
    return true;
}

static bool read_host(struct reading *r, struct slice value)
{
    struct slice host, port;

    if (r->head->host.data)
        return fail(r, "more than one Host");
    if (value.len && !http_split_authority(value, &host, &port))
        return fail(r, "invalid Host");
    r->head->host = value;
    if (value.len)
        r->head->host_name = host;
    return true;
}

static bool read_length(struct reading *r, struct slice value)
{
    if (r->has_length)
        return fail(r, "more than one Content-Length");
    r->has_length = true;
    return http_read_length(value, &r->head->content_length) || fail(r, "invalid Content-Length");
}

/* What a field says about the message it stands in. */
static bool read_meaning(struct reading *r, const struct http_field *field)
{
    struct http_head *head = r->head;

    switch (field->id) {
    case FIELD_HOST:
        return head->status || read_host(r, field->value);
    case FIELD_CONTENT_LENGTH:
        return read_length(r, field->value);
    case FIELD_CONNECTION:
    case FIELD_KEEP_ALIVE:
    case FIELD_PROXY_CONNECTION:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_UPGRADE:
        return fail(r, "field that is about a connection");
    case FIELD_TE:
        if (!slice_eq_nocase(field->value, SLICE("trailers")))
            return fail(r, "TE other than trailers");
        head->te_trailers = true;
        return true;
    case FIELD_EXPECT:
        head->expect_continue |= slice_eq_nocase(field->value, SLICE("100-continue"));
        return true;
    default:
        return true;
    }
}

static const uint32_t HOP_BY_HOP =
    1u << FIELD_TE | 1u << FIELD_PROXY_AUTHENTICATE | 1u << FIELD_PROXY_AUTHORIZATION;

static bool read_field(struct reading *r, struct slice name, struct slice value)
{
    struct http_field *field = &r->head->fields[r->head->field_count];

    if (r->head->field_count == HTTP_FIELDS_MAX)
        return fail(r, "too many fields");
    if (!h2_is_name(name))
        return fail(r, "invalid field name");
    if (!h2_is_value(value))
        return fail(r, "invalid field value");
    field->name = name;
    field->value = value;
    field->id = (uint8_t)http_field_id(name);
    field->hop_by_hop = field->id == FIELD_OTHER ? http_name_imitates(name) : HOP_BY_HOP >> field->id & 1;
    r->cookies += h2_is_cookie(name);
    r->head->field_count++;
    r->head->present |= 1u << field->id;
    return field->id == FIELD_OTHER || read_meaning(r, field);
}

/* Crumbs that other fields stood between, as one field in the place of the first. */
static bool join_cookies(struct reading *r, struct buf *text)
{
    struct writer w = writer_on(text);
    struct http_head *head = r->head;
    struct http_field *first = NULL;
    uint32_t start = text->end;
    unsigned kept = 0;

    for (unsigned i = 0; i < head->field_count; i++) {
        struct http_field *field = &head->fields[i];

        if (h2_is_cookie(field->name) && field->value.len) {
            if (text->end > start)
                write_literal(&w, "; ");
            write_slice(&w, field->value);
        }
        if (h2_is_cookie(field->name) && first)
            continue;
        head->fields[kept] = *field;
        if (h2_is_cookie(field->name))
            first = &head->fields[kept];
        kept++;
    }
    CHECK(first);
    first->value = slice_of(text->data + start, text->end - start);
    head->field_count = kept;
    return !w.overflow;
}

static void read_all(struct reading *r, const struct h2_fields *f)
{
    uint32_t at = f->text.start;
    struct slice name, value;

    while (!r->error && h2_fields_next(f, &at, &name, &value))
        (void)(name.len && name.data[0] == ':' ? read_pseudo(r, name, value) : read_field(r, name, value));
}

static void judge_body(struct reading *r, bool ends)
{
    r->head->keep_alive = true;
    r->head->body = r->has_length ? BODY_LENGTH : ends ? BODY_NONE : BODY_CHUNKED;
}

/* From here on it is the GET that HTTP/1 has in its place. */
static bool judge_protocol(struct reading *r)
{
    struct http_head *head = r->head;

    if (head->method != METHOD_CONNECT || !http_is_token(r->protocol) || !r->authority.data)
        return fail(r, ":protocol without CONNECT or :authority, or no token");
    if (r->has_length)
        return fail(r, "CONNECT with Content-Length");
    head->connect = head->upgrade = true;
    head->method = METHOD_GET;
    head->method_text = SLICE("GET");
    if (head->field_count == HTTP_FIELDS_MAX)
        return fail(r, "too many fields");
    head->fields[head->field_count++] = (struct http_field){
        .name = SLICE("upgrade"), .value = r->protocol, .id = FIELD_UPGRADE, .hop_by_hop = true};
    head->present |= 1u << FIELD_UPGRADE;
    return true;
}

static bool judge_target(struct reading *r)
{
    struct http_head *head = r->head;
    struct slice host, port;

    if (head->method == METHOD_CONNECT) {
        if (r->scheme.data || r->path.data)
            return fail(r, "CONNECT with :scheme or :path");
        head->target = r->authority;
        head->path = SLICE("/");
    } else {
        if (!r->path.len || !http_is_target(r->path))
            return fail(r, "no or invalid :path");
        head->target = head->path = r->path;
        if (!slice_eq_nocase(r->scheme, SLICE("http")) && !slice_eq_nocase(r->scheme, SLICE("https")))
            return fail(r, "no or unknown :scheme");
        if (r->path.data[0] != '/' && !(slice_eq(r->path, SLICE("*")) && head->method == METHOD_OPTIONS))
            return fail(r, ":path does not start with a slash");
    }
    if (r->authority.data && !http_split_authority(r->authority, &host, &port))
        return fail(r, "invalid :authority");
    if (r->authority.data)
        head->host_name = host;
    if (head->method == METHOD_CONNECT && !r->authority.data)
        return fail(r, "CONNECT without :authority");
    return head->method != METHOD_CONNECT || port.data || fail(r, "CONNECT without a port");
}

/* The authority is the host. Where there was no Host field there is one now, for whoever looks for it. */
static bool judge_host(struct reading *r)
{
    struct http_head *head = r->head;

    if (!r->authority.data)
        return head->host.len || fail(r, "neither :authority nor Host");
    if (head->host.data && !slice_eq_nocase(head->host, r->authority))
        return fail(r, "Host is not :authority");
    if (!head->host.data && head->field_count < HTTP_FIELDS_MAX) {
        head->fields[head->field_count++] =
            (struct http_field){.name = SLICE("host"), .value = r->authority, .id = FIELD_HOST};
        head->present |= 1u << FIELD_HOST;
    }
    head->authority = head->host = r->authority;
    return true;
}

static void init(struct reading *r, struct http_head *head)
{
    memset(head, 0, offsetof(struct http_head, fields));
    head->via = HTTP_VIA("2.0");
    head->may_trail = true;
    head->minor = 1;
    *r = (struct reading){.head = head};
}

static bool judge_request(struct reading *r, bool ends)
{
    struct http_head *head = r->head;

    if (!http_is_token(r->method))
        return fail(r, "no or invalid :method");
    head->method_text = r->method;
    head->method = http_method_of(r->method);
    if (r->protocol.data && !judge_protocol(r))
        return false;
    if (!judge_target(r) || !judge_host(r))
        return false;
    judge_body(r, ends);
    if (head->connect)
        head->body = BODY_NONE;
    if (ends && head->content_length)
        return fail(r, "Content-Length without a body");
    return true;
}

enum parse h2_head_request(struct http_head *head, struct h2_fields *f, bool ends,
                           const struct http_limits *limits, const char **error)
{
    struct reading r;

    init(&r, head);
    read_all(&r, f);
    if (!r.error)
        (void)judge_request(&r, ends);
    *error = r.error;
    if (f->too_big || head->field_count > limits->field_count) {
        *error = f->too_big ? "the head is too large" : "too many fields";
        return PARSE_HEAD_TOO_BIG;
    }
    if (r.error)
        return PARSE_BAD;
    if (head->target.len > limits->target_length) {
        *error = "request target too long";
        return PARSE_TARGET_TOO_BIG;
    }
    if (r.cookies > 1 && !join_cookies(&r, &f->text)) {
        *error = "the cookies are too large";
        return PARSE_HEAD_TOO_BIG;
    }
    return PARSE_DONE;
}

static bool judge_response(struct reading *r, bool ends, enum method method)
{
    struct http_head *head = r->head;
    const char *s = r->status.data;

    head->status = 0;
    if (r->status.len != 3 || s[0] < '1' || s[0] > '9' || s[1] < '0' || s[1] > '9' || s[2] < '0' || s[2] > '9')
        return fail(r, "no or invalid :status");
    head->status = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
    judge_body(r, ends);
    if (head->status < 200 && ends)
        return fail(r, "interim response ends the stream");
    if (method == METHOD_HEAD || !http_status_has_body(head->status))
        head->body = BODY_NONE;
    else if (ends && head->content_length)
        return fail(r, "Content-Length without a body");
    return true;
}

enum parse h2_head_response(struct http_head *head, struct h2_fields *f, bool ends,
                            enum method method, const char **error)
{
    struct reading r;

    init(&r, head);
    head->status = 100; /* a response, whatever it will say */
    read_all(&r, f);
    if (!r.error)
        (void)judge_response(&r, ends, method);
    *error = r.error;
    if (!f->too_big)
        return r.error ? PARSE_BAD : PARSE_DONE;
    *error = "the head is too large";
    return PARSE_HEAD_TOO_BIG;
}
