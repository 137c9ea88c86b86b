#include "http/parse.h"

#include "http/head_end.h"
#include "http/start_line.h"
#include "http/status.h"

#include <http_parser.h>

enum { CONNECTION_OPTIONS_MAX = 64 };

/* One head, or trailer section, on its way through http-parser. */
struct reading {
    struct http_head *head;
    const struct http_limits *limits;
    enum parse result;   /* PARSE_DONE until something is wrong */
    const char *error;   /* with any other result */
    bool trailers;       /* fields of a trailer section: they say nothing about the message */
    bool complete;       /* http-parser saw the empty line */
    struct slice name;   /* of the field whose value comes next */
    bool has_length;     /* there was a Content-Length */
    bool has_coding;     /* there was a Transfer-Encoding */
    bool has_upgrade;    /* there was an Upgrade */
    bool option_close;   /* Connection lists close */
    bool option_keep;    /* Connection lists keep-alive */
    bool option_upgrade; /* Connection lists upgrade */
    unsigned options;    /* other things that Connection lists: names of fields */
};

static bool fail(struct reading *r, enum parse result, const char *error)
{
    r->result = result;
    r->error = error;
    return false;
}

/* Has read a start line. Start lines are ours (http/start_line.h), and no field means another thing behind another one, as bodies are
 * ours, too. */
static http_parser at_fields;

/* The limit is http-parser's own, for the whole process; ours is head_size. */
__attribute__((constructor)) static void prepare_parser(void)
{
    static const http_parser_settings NONE;
    struct slice line = SLICE("GET / HTTP/1.1\r\n");

    http_parser_set_max_header_size(UINT32_MAX);
    http_parser_init(&at_fields, HTTP_REQUEST);
    CHECK(http_parser_execute(&at_fields, &NONE, line.data, line.len) == line.len);
}

/* Fields */

static const uint32_t STANDING_HOP_BY_HOP =
    1u << FIELD_CONNECTION | 1u << FIELD_KEEP_ALIVE | 1u << FIELD_PROXY_CONNECTION |
    1u << FIELD_PROXY_AUTHENTICATE | 1u << FIELD_PROXY_AUTHORIZATION | 1u << FIELD_TE |
    1u << FIELD_TRANSFER_ENCODING | 1u << FIELD_UPGRADE;

/* Fields without an id that Connection can not name away and that may not be trailers. */
static SELDOM bool is_end_to_end(const struct http_field *f)
{
    static const char *const NAMES[] = {
        "age", "authorization", "cache-control", "content-encoding", "content-range",
        "content-type", "cookie", "expires", "if-match", "if-modified-since",
        "if-none-match", "if-range", "if-unmodified-since", "location", "origin",
        "pragma", "range", "set-cookie", "vary", "www-authenticate"};

    if (f->id != FIELD_OTHER || http_name_imitates(f->name))
        return true;
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (slice_eq_nocase(f->name, slice_str(NAMES[i])))
            return true;
    }
    return false;
}

static bool read_host(struct reading *r, struct slice value)
{
    struct slice host, port;

    if (r->head->host.data)
        return fail(r, PARSE_BAD, "more than one Host");
    if (value.len && !http_split_authority(value, &host, &port))
        return fail(r, PARSE_BAD, "invalid Host");
    r->head->host = value;
    if (value.len && !r->head->authority.data)
        r->head->host_name = host;
    return true;
}

static bool read_length(struct reading *r, struct slice value)
{
    if (r->has_length)
        return fail(r, PARSE_BAD, "more than one Content-Length");
    if (!http_read_length(value, &r->head->content_length))
        return fail(r, PARSE_BAD, "invalid Content-Length");
    r->has_length = true;
    return true;
}

static bool read_coding(struct reading *r, struct slice value)
{
    if (r->has_coding || !slice_eq_nocase(value, SLICE("chunked")))
        return fail(r, PARSE_BAD, "Transfer-Encoding other than chunked");
    r->has_coding = true;
    return true;
}

static bool read_connection(struct reading *r, struct slice value)
{
    struct slice option;

    while (http_list_next(&value, &option)) {
        if (slice_eq_nocase(option, SLICE("close")))
            r->option_close = true;
        else if (slice_eq_nocase(option, SLICE("keep-alive")))
            r->option_keep = true;
        else if (slice_eq_nocase(option, SLICE("upgrade")))
            r->option_upgrade = true;
        else if (++r->options > CONNECTION_OPTIONS_MAX)
            return fail(r, PARSE_BAD, "too many options in Connection");
    }
    return true;
}

/* What a field says about the message it stands in. */
static SELDOM bool read_meaning(struct reading *r, const struct http_field *f)
{
    struct http_head *head = r->head;

    switch (f->id) {
    case FIELD_HOST:
        return head->status || read_host(r, f->value);
    case FIELD_CONTENT_LENGTH:
        return read_length(r, f->value);
    case FIELD_TRANSFER_ENCODING:
        return read_coding(r, f->value);
    case FIELD_CONNECTION:
        return read_connection(r, f->value);
    case FIELD_UPGRADE:
        r->has_upgrade = true;
        return true;
    case FIELD_TE:
        head->te_trailers |= http_list_has(f->value, SLICE("trailers"));
        return true;
    case FIELD_EXPECT:
        head->expect_continue |= slice_eq_nocase(f->value, SLICE("100-continue"));
        return true;
    default:
        return true;
    }
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
    struct reading *r = parser->data;

    r->name = slice_of(at, len);
    /* http-parser lets no byte pass that no token has, but for this one */
    if (memchr(at, ' ', len))
        return !fail(r, PARSE_BAD, "invalid field name");
    return 0;
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    struct reading *r = parser->data;
    struct http_head *head = r->head;
    struct http_field *f = &head->fields[head->field_count];

    if (head->field_count >= HTTP_FIELDS_MAX || head->field_count >= r->limits->field_count)
        return !fail(r, PARSE_HEAD_TOO_BIG, "too many fields");
    f->name = r->name;
    f->value = slice_trim(slice_of(at, len));
    /* http-parser looks at every byte of a value but the first */
    if (f->value.len && !http_is_value_byte((unsigned char)f->value.data[0]))
        return !fail(r, PARSE_BAD, "control byte in a field value");
    f->id = (uint8_t)http_field_id(f->name);
    f->hop_by_hop = r->trailers              ? is_end_to_end(f)
                    : f->id == FIELD_OTHER ? http_name_imitates(f->name)
                                           : STANDING_HOP_BY_HOP >> f->id & 1;
    head->field_count++;
    head->present |= 1u << f->id;
    return f->id != FIELD_OTHER && !r->trailers && !read_meaning(r, f);
}

static int on_end(http_parser *parser)
{
    struct reading *r = parser->data;

    r->complete = true;
    return 1; /* no body: that is framing.c's */
}

static void mark_named(struct http_head *head, struct slice name)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        struct http_field *f = &head->fields[i];

        if (slice_eq_nocase(f->name, name) && !is_end_to_end(f))
            f->hop_by_hop = true;
    }
}

static SELDOM void mark_hop_by_hop(struct http_head *head)
{
    for (unsigned i = 0; i < head->field_count; i++) {
        struct slice value = head->fields[i].value, option;

        if (head->fields[i].id != FIELD_CONNECTION)
            continue;
        while (http_list_next(&value, &option))
            mark_named(head, option);
    }
}

/* Shows text, all lines of a head or trailer section behind the start line, to http-parser; controls: it has control bytes that end no
 * line, perhaps. */
static bool read_fields(struct reading *r, struct slice text, bool controls)
{
    static const http_parser_settings SETTINGS = {
        .on_header_field = on_name, .on_header_value = on_value, .on_headers_complete = on_end};
    http_parser parser = at_fields;

    parser.data = r;
    /* Whether values have such bytes is all that this is about where Transfer-Encoding is "chunked" or refused (read_coding). */
    parser.lenient_http_headers = !controls;
    (void)http_parser_execute(&parser, &SETTINGS, text.data, text.len);
    if (r->result != PARSE_DONE)
        return false;
    if (HTTP_PARSER_ERRNO(&parser) != HPE_OK)
        return fail(r, PARSE_BAD, http_errno_description(HTTP_PARSER_ERRNO(&parser)));
    if (!r->complete)
        return fail(r, PARSE_BAD, "invalid head");
    return true;
}

/* What the fields say together */

static void init(struct reading *r, struct http_head *head, const struct http_limits *limits)
{
    memset(head, 0, offsetof(struct http_head, fields));
    *r = (struct reading){.head = head, .limits = limits, .result = PARSE_DONE};
}

static bool judge(struct reading *r)
{
    struct http_head *head = r->head;

    if (r->has_coding && r->has_length)
        return fail(r, PARSE_BAD, "both Content-Length and Transfer-Encoding");
    if (r->has_coding && head->minor == 0)
        return fail(r, PARSE_BAD, "Transfer-Encoding in HTTP/1.0");
    head->keep_alive = !r->option_close && (head->minor > 0 || r->option_keep);
    head->upgrade = r->option_upgrade && r->has_upgrade && head->minor > 0;
    head->expect_continue &= head->minor > 0;
    if (r->has_coding)
        head->body = BODY_CHUNKED;
    else if (r->has_length)
        head->body = BODY_LENGTH;
    if (r->options)
        mark_hop_by_hop(head);
    return true;
}

static bool judge_request(struct reading *r)
{
    struct http_head *head = r->head;

    if (!head->host.data && head->minor > 0)
        return fail(r, PARSE_BAD, "no Host");
    /* The authority of the target wins over Host (RFC 9112 3.2.2). */
    if (head->authority.data)
        head->host = head->authority;
    return judge(r);
}

/* A status that never has a body, with the promise of one, which may come. Only 304 says so of what GET would get. */
static bool judge_promise(struct reading *r)
{
    struct http_head *head = r->head;

    if (!r->has_coding && !head->content_length)
        return true;
    if (head->status < 200)
        return fail(r, PARSE_BAD, "an interim response with a body");
    head->keep_alive &= head->status == 304;
    return true;
}

static bool judge_response(struct reading *r, enum method method)
{
    struct http_head *head = r->head;
    bool tunnel = method == METHOD_CONNECT && head->status / 100 == 2;
    bool bodiless = !http_status_has_body(head->status);

    if (!judge(r))
        return false;
    if (method == METHOD_HEAD || tunnel || bodiless) {
        head->body = BODY_NONE;
        if (bodiless && (method != METHOD_HEAD || head->status < 200))
            return judge_promise(r);
    } else if (head->body == BODY_NONE) {
        head->body = BODY_UNTIL_CLOSE;
        head->keep_alive = false;
    }
    return true;
}

/* The first line of a complete head that starts at data[start], without its end. */
static struct slice first_line(const char *data, size_t start, const struct http_scan *scan)
{
    return slice_of(data + start, scan->fields - start - strlen("\r\n"));
}

/* What is behind it, up to the head's end. */
static struct slice field_lines(const char *data, const struct http_scan *scan, size_t end)
{
    return slice_of(data + scan->fields, end - scan->fields);
}

enum parse http_parse_request(struct http_head *head, const char *data, size_t len,
                              struct http_scan *scan, const struct http_limits *limits,
                              size_t *used, const char **error)
{
    size_t start = 0, end;
    struct reading r;
    enum parse found;

    while (start + 1 < len && data[start] == '\r' && data[start + 1] == '\n')
        start += 2;
    if (scan->line < start)
        scan->line = scan->seen = (uint32_t)start;
    found = head_end_find(data, len, start, scan, limits, limits->target_length, &end, error);
    if (found != PARSE_DONE)
        return found;
    init(&r, head, limits);
    r.result = start_line_request(head, first_line(data, start, scan), &r.error);
    if (r.result == PARSE_DONE && head->target.len > limits->target_length)
        (void)fail(&r, PARSE_TARGET_TOO_BIG, "request target too long");
    if (r.result == PARSE_DONE)
        (void)(read_fields(&r, field_lines(data, scan, end), scan->controls) && judge_request(&r));
    *used = end;
    *error = r.error;
    return r.result;
}

/* Could these bytes be the start of a response? */
static bool may_be_response(const char *data, size_t len)
{
    static const char start[] = "HTTP/";

    return memcmp(data, start, len < sizeof(start) - 1 ? len : sizeof(start) - 1) == 0;
}

enum parse http_parse_response(struct http_head *head, enum method method, const char *data,
                               size_t len, struct http_scan *scan, const struct http_limits *limits,
                               size_t *used, const char **error)
{
    size_t end;
    struct reading r;
    enum parse found;

    /* What greets as another protocol would be waited for in vain: its head never ends. */
    if (!may_be_response(data, len)) {
        *error = "no HTTP";
        return PARSE_BAD;
    }
    found = head_end_find(data, len, 0, scan, limits, UINT32_MAX, &end, error);
    if (found != PARSE_DONE)
        return found;
    init(&r, head, limits);
    r.result = start_line_response(head, first_line(data, 0, scan), &r.error);
    if (r.result == PARSE_DONE)
        (void)(read_fields(&r, field_lines(data, scan, end), scan->controls) && judge_response(&r, method));
    *used = end;
    *error = r.error;
    return r.result;
}

enum parse http_parse_trailers(struct http_head *head, struct slice block,
                               const struct http_limits *limits, const char **error)
{
    struct reading r = {.head = head, .limits = limits, .result = PARSE_DONE, .trailers = true};
    struct http_scan scan = {0};
    size_t end = 0;
    enum parse found =
        head_end_find(block.data, block.len, 0, &scan, limits, UINT32_MAX, &end, error);

    head->field_count = 0;
    if (found == PARSE_HEAD_TOO_BIG || found == PARSE_BAD)
        return found;
    if (found == PARSE_MORE || end != block.len) {
        *error = "incomplete trailer section";
        return PARSE_BAD;
    }
    (void)read_fields(&r, block, true);
    *error = r.error;
    return r.result;
}
