#include "config/url.h"

#include "base/sock.h"

enum { HOST_MAX = 253, LABEL_MAX = 63 };

static const struct {
    struct slice prefix;
    uint16_t port;
} schemes[] = {
    [URL_HTTP] = {{"http://", 7}, 80},
    [URL_HTTPS] = {{"https://", 8}, 443},
    [URL_WS] = {{"ws://", 5}, 80},
    [URL_WSS] = {{"wss://", 6}, 443},
    [URL_H2C] = {{"h2c://", 6}, 80},
    [URL_H2] = {{"h2://", 5}, 443},
};

static bool take_scheme(struct slice *rest, struct url *out)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct slice prefix = schemes[i].prefix;

        if (rest->len >= prefix.len && slice_eq_nocase(slice_of(rest->data, prefix.len), prefix)) {
            out->scheme = (enum url_scheme)i;
            out->port = schemes[i].port;
            rest->data += prefix.len;
            rest->len -= prefix.len;
            return true;
        }
    }
    return false;
}

/* Letters, digits, "-" and "_" in labels of 1 to 63, joined by dots; one dot at the end is fine. */
static bool is_name(struct slice host)
{
    size_t label = 0;

    if (host.len > 1 && host.data[host.len - 1] == '.')
        host.len--;
    if (host.len == 0 || host.len > HOST_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];

        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
                   c == '_') {
            if (++label > LABEL_MAX)
                return false;
        } else {
            return false;
        }
    }
    return label > 0;
}

/* Only digits and dots: meant as an IPv4 address. */
static bool is_numeric(struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (host.data[i] != '.' && !(host.data[i] >= '0' && host.data[i] <= '9'))
            return false;
    }
    return true;
}

static bool parse_port(struct slice text, struct url *out, struct error *err)
{
    unsigned n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return error_set(err, "backend_url: port is not a number");
        n = n * 10 + (unsigned)(text.data[i] - '0');
        if (n > 65535)
            return error_set(err, "backend_url: port out of range");
    }
    if (n == 0)
        return error_set(err, text.len ? "backend_url: port out of range"
                                       : "backend_url: no port after \":\"");
    out->port = (uint16_t)n;
    return true;
}

/* Splits the authority into out->host and *port (absent when there is none). */
static bool split_authority(struct url *out, struct slice *port, struct error *err)
{
    struct slice a = out->authority;
    struct slice rest = a;
    const char *end;

    *port = slice_of(NULL, 0);
    if (a.len > 0 && a.data[0] == '[') {
        end = memchr(a.data, ']', a.len);
        if (!end)
            return error_set(err, "backend_url: no \"]\" behind the IPv6 address");
        out->host = slice_of(a.data + 1, (size_t)(end - a.data) - 1);
        rest = slice_of(end + 1, a.len - out->host.len - 2);
        if (rest.len == 0)
            return true;
        if (rest.data[0] != ':')
            return error_set(err, "backend_url: unexpected text behind \"]\"");
        *port = slice_of(rest.data + 1, rest.len - 1);
        return true;
    }
    (void)slice_split(&rest, ':', &out->host);
    *port = rest;
    return true;
}

static bool check_host(struct url *out, struct error *err)
{
    struct address ip;
    bool brackets = out->authority.data[0] == '[';

    if (out->host.len == 0)
        return error_set(err, "backend_url: no host");
    out->host_is_ip = address_parse_ip(out->host, out->port, &ip) == 0;
    if (brackets && (!out->host_is_ip || ip.any.sa_family != AF_INET6))
        return error_set(err, "backend_url: no IPv6 address between the brackets");
    if (out->host_is_ip)
        return true;
    if (is_numeric(out->host))
        return error_set(err, "backend_url: host is no valid IPv4 address");
    if (!is_name(out->host))
        return error_set(err, "backend_url: host is not a valid name");
    return true;
}

bool url_parse(struct slice text, struct url *out, struct error *err)
{
    struct slice rest = text;
    struct slice port;
    const char *slash;

    *out = (struct url){0};
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c <= ' ' || c >= 127)
            return error_set(err, "backend_url: space, control byte or byte above 126");
        if (c == '?' || c == '#')
            return error_set(err, "backend_url: must not have a query or fragment");
    }
    if (!take_scheme(&rest, out))
        return error_set(err, "backend_url: must start with http://, https://, h2c://, h2://, ws:// or wss://");
    slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
    out->authority = slice_of(rest.data, slash ? (size_t)(slash - rest.data) : rest.len);
    out->path = slice_of(rest.data + out->authority.len, rest.len - out->authority.len);
    while (out->path.len > 0 && out->path.data[out->path.len - 1] == '/')
        out->path.len--;
    if (out->authority.len == 0)
        return error_set(err, "backend_url: no host");
    if (memchr(out->authority.data, '@', out->authority.len))
        return error_set(err, "backend_url: must not have a user or password");
    if (!split_authority(out, &port, err))
        return false;
    if (port.data && !parse_port(port, out, err))
        return false;
    return check_host(out, err);
}

bool url_is_tls(const struct url *url)
{
    return url->scheme == URL_HTTPS || url->scheme == URL_WSS || url->scheme == URL_H2;
}

bool url_is_http2(const struct url *url)
{
    return url->scheme == URL_H2C || url->scheme == URL_H2;
}
