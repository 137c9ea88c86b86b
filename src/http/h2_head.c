#include "http/h2_head.h"

#include "http/status.h"
#include "http/write.h"

/* Before each field in the text. */
struct mark {
    uint32_t name_len, value_len;
};

enum { LINE_OVERHEAD = 4 }; /* ": " and a line end */

/* ---- collecting */

static bool is_cookie(struct slice name)
{
    return name.len == 6 && memcmp(name.data, "cookie", 6) == 0;
}

static bool fits(struct h2_fields *f, size_t bytes, size_t size, const struct http_limits *limits)
{
    f->too_big = f->too_big || buf_room(&f->text) < bytes || f->size + size > limits->head_size;
    return !f->too_big;
}

/* Behind another cookie: "; value" is appended to it. */
static bool joins_last(const struct h2_fields *f, struct slice name, struct mark *last)
{
    if (!f->count || !is_cookie(name))
        return false;
    memcpy(last, f->text.data + f->last, sizeof(*last));
    return is_cookie(slice_of(f->text.data + f->last + sizeof(*last), last->name_len));
}

static void append(struct h2_fields *f, struct slice text)
{
    CHECK(buf_append(&f->text, text.data, text.len));
}

void h2_fields_add(struct h2_fields *f, struct slice name, struct slice value,
                   const struct http_limits *limits)
{
    struct mark mark;

    if (joins_last(f, name, &mark)) {
        if (!fits(f, value.len + 2, value.len + 2, limits))
            return;
        mark.value_len += (uint32_t)value.len + 2;
        memcpy(f->text.data + f->last, &mark, sizeof(mark));
        append(f, SLICE("; "));
        append(f, value);
        f->size += (uint32_t)value.len + 2;
        return;
    }
    if (!fits(f, sizeof(mark) + name.len + value.len, name.len + value.len + LINE_OVERHEAD, limits))
        return;
    mark = (struct mark){(uint32_t)name.len, (uint32_t)value.len};
    f->last = f->text.end;
    append(f, slice_of((const char *)&mark, sizeof(mark)));
    append(f, name);
    append(f, value);
    f->count++;
    f->size += (uint32_t)(name.len + value.len) + LINE_OVERHEAD;
}

/* The field at *at, which moves on to the next; false at the end. */
static bool next_field(const struct h2_fields *f, uint32_t *at, struct slice *name, struct slice *value)
{
    struct mark mark;

    if (*at >= f->text.end)
        return false;
    memcpy(&mark, f->text.data + *at, sizeof(mark));
    *name = slice_of(f->text.data + *at + sizeof(mark), mark.name_len);
    *value = slice_of(name->data + name->len, mark.value_len);
    *at += (uint32_t)sizeof(mark) + mark.name_len + mark.value_len;
    return true;
}

bool h2_fields_are_head(const struct h2_fields *f)
{
    return f->count && f->text.data[f->text.start + sizeof(struct mark)] == ':';
}

/* ---- reading */

/* One head on its way into a struct http_head. */
struct reading {
    struct http_head *head;
    const char *error; /* NULL: nothing is wrong so far */
    struct slice method, scheme, path, authority, status;
    bool has_length;
    unsigned cookies;
};

static bool fail(struct reading *r, const char *error)
{
    if (!r->error)
        r->error = error;
    return false;
}

static bool is_lower_token(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 'A' && name.data[i] <= 'Z')
            return false;
    return http_is_token(name);
}

static bool is_value(struct slice value)
{
    return http_is_field_value(value) && slice_trim(value).len == value.len;
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
    if (!is_lower_token(name))
        return fail(r, "invalid field name");
    if (!is_value(value))
        return fail(r, "invalid field value");
    field->name = name;
    field->value = value;
    field->id = (uint8_t)http_field_id(name);
    field->hop_by_hop = HOP_BY_HOP >> field->id & 1;
    r->cookies += is_cookie(name);
    r->head->field_count++;
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

        if (is_cookie(field->name)) {
            if (first)
                write_literal(&w, "; ");
            write_slice(&w, field->value);
        }
        if (is_cookie(field->name) && first)
            continue;
        head->fields[kept] = *field;
        if (is_cookie(field->name))
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

    while (!r->error && next_field(f, &at, &name, &value))
        (void)(name.len && name.data[0] == ':' ? read_pseudo(r, name, value) : read_field(r, name, value));
}

static void judge_body(struct reading *r, bool ends)
{
    r->head->keep_alive = true;
    r->head->body = r->has_length ? BODY_LENGTH : ends ? BODY_NONE : BODY_CHUNKED;
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
    return head->method != METHOD_CONNECT || r->authority.data || fail(r, "CONNECT without :authority");
}

/* The authority is the host. Where there was no Host field there is one now, for whoever looks for it. */
static bool judge_host(struct reading *r)
{
    struct http_head *head = r->head;

    if (!r->authority.data)
        return head->host.len || fail(r, "neither :authority nor Host");
    if (head->host.data && !slice_eq_nocase(head->host, r->authority))
        return fail(r, "Host is not :authority");
    if (!head->host.data && head->field_count < HTTP_FIELDS_MAX)
        head->fields[head->field_count++] =
            (struct http_field){.name = SLICE("host"), .value = r->authority, .id = FIELD_HOST};
    head->authority = head->host = r->authority;
    return true;
}

static void init(struct reading *r, struct http_head *head)
{
    memset(head, 0, offsetof(struct http_head, fields));
    head->http2 = true;
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
    if (!judge_target(r) || !judge_host(r))
        return false;
    judge_body(r, ends);
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

bool h2_trailer_section(const struct h2_fields *f, struct buf *out)
{
    struct writer w = writer_on(out);
    struct slice name, value;
    uint32_t at = f->text.start;

    if (f->too_big)
        return false;
    while (next_field(f, &at, &name, &value)) {
        if (!is_lower_token(name) || !is_value(value))
            return false;
        write_field(&w, name, value);
    }
    write_literal(&w, "\r\n");
    return !w.overflow;
}
