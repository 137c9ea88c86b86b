#include "http/start_line.h"

static enum parse bad(const char **error, const char *text)
{
    *error = text;
    return PARSE_BAD;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum parse read_version(struct http_head *head, struct slice text, const char **error)
{
    const char *v = text.data;

    if (text.len != 8 || memcmp(v, "HTTP/", 5) != 0 || !is_digit(v[5]) || v[6] != '.' ||
        !is_digit(v[7]))
        return bad(error, "invalid HTTP version");
    if (v[5] != '1') {
        *error = "HTTP version is not 1.x";
        return PARSE_VERSION;
    }
    head->minor = v[7] != '0';
    head->via = head->minor ? HTTP_VIA("1.1") : HTTP_VIA("1.0");
    return PARSE_DONE;
}

/* Bytes of "http://" or "https://" at the front of target, or 0. */
static size_t scheme_length(struct slice target)
{
    static const struct slice SCHEMES[] = {{"http://", 7}, {"https://", 8}};

    for (int i = 0; i < 2; i++) {
        size_t n = SCHEMES[i].len;

        if (target.len >= n && slice_eq_nocase(slice_of(target.data, n), SCHEMES[i]))
            return n;
    }
    return 0;
}

static enum parse read_absolute(struct http_head *head, struct slice target, const char **error)
{
    size_t scheme = scheme_length(target), n = 0;
    struct slice rest = slice_of(target.data + scheme, target.len - scheme), host, port;

    if (!scheme)
        return bad(error, "invalid request target");
    while (n < rest.len && rest.data[n] != '/' && rest.data[n] != '?')
        n++;
    head->authority = slice_of(rest.data, n);
    if (!http_split_authority(head->authority, &host, &port))
        return bad(error, "invalid authority in request target");
    head->host_name = host;
    if (n == rest.len) {
        /* What the target would be in the other forms (RFC 9112 3.2.4). */
        head->path = head->method == METHOD_OPTIONS ? SLICE("*") : SLICE("/");
        return PARSE_DONE;
    }
    /* The path is a piece of the target, and "/?query" is none here. */
    if (rest.data[n] == '?')
        return bad(error, "request target has a query but no path");
    head->path = slice_of(rest.data + n, rest.len - n);
    return PARSE_DONE;
}

static enum parse read_target(struct http_head *head, struct slice target, const char **error)
{
    struct slice host, port;

    head->target = head->path = target;
    if (!http_is_target(target))
        return bad(error, "invalid request target");
    if (head->method == METHOD_CONNECT) {
        if (!http_split_authority(target, &host, &port) || !port.data)
            return bad(error, "invalid request target for CONNECT");
        head->authority = target;
        head->host_name = host;
        head->path = SLICE("/");
        return PARSE_DONE;
    }
    if (target.data[0] == '/')
        return PARSE_DONE;
    if (!slice_eq(target, SLICE("*")))
        return read_absolute(head, target, error);
    return head->method == METHOD_OPTIONS ? PARSE_DONE
                                          : bad(error, "request target * is for OPTIONS only");
}

enum parse start_line_request(struct http_head *head, struct slice line, const char **error)
{
    struct slice target;
    enum parse version;

    if (!slice_split(&line, ' ', &head->method_text) || !slice_split(&line, ' ', &target) ||
        !line.data)
        return bad(error, "request line is not method, target and version");
    if (!http_is_token(head->method_text))
        return bad(error, "invalid method");
    version = read_version(head, line, error);
    if (version != PARSE_DONE)
        return version;
    head->method = http_method_of(head->method_text);
    return read_target(head, target, error);
}

enum parse start_line_response(struct http_head *head, struct slice line, const char **error)
{
    const char *p = line.data;
    enum parse version;

    if (line.len < 12 || p[8] != ' ' || (line.len > 12 && p[12] != ' '))
        return bad(error, "invalid status line");
    version = read_version(head, slice_of(p, 8), error);
    if (version != PARSE_DONE)
        return version;
    if (p[9] < '1' || p[9] > '9' || !is_digit(p[10]) || !is_digit(p[11]))
        return bad(error, "invalid status");
    head->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
    head->reason = line.len > 12 ? slice_of(p + 13, line.len - 13) : slice_of(p + 12, 0);
    return http_is_field_value(head->reason) ? PARSE_DONE : bad(error, "invalid reason phrase");
}
