/* URLs, addresses and ranges: written again they read the same, and what one reader takes for an authority the other does. */
#include "base/sock.h"
#include "config/url.h"
#include "http/head.h"
#include "spec/fuzz/fuzz.h"

#include <stdio.h>

enum { SIZE = 1024 };

static const char *const SCHEMES[] = {
    [URL_HTTP] = "HTTP", [URL_HTTPS] = "https", [URL_WS] = "ws", [URL_WSS] = "wss", [URL_H2C] = "h2c", [URL_H2] = "h2"};

static void check_authority(const struct url *url)
{
    struct slice host, port;

    CHECK(http_split_authority(url->authority, &host, &port));
    CHECK(slice_eq(host, url->host));
    if (port.data) {
        char digits[8];

        /* Leading zeros are fine. */
        while (port.len > 1 && port.data[0] == '0')
            port = slice_skip(port, 1);
        CHECK(slice_eq(port, slice_of(digits, (size_t)snprintf(digits, sizeof(digits), "%u", url->port))));
    }
}

void fuzz_url(struct slice text)
{
    char made[SIZE];
    struct url url, again;
    struct error err = {""};
    int n;

    if (!url_parse(text, &url, &err)) {
        CHECK(err.text[0]);
        return;
    }
    check_authority(&url);
    CHECK(url.port && url.host.len && fuzz_within(url.authority, text));
    CHECK(url.path.len == 0 || (http_is_target(url.path) && url.path.data[url.path.len - 1] != '/'));
    CHECK(url_is_tls(&url) == (url.scheme == URL_HTTPS || url.scheme == URL_WSS || url.scheme == URL_H2));
    if (text.len > SIZE / 2)
        return;
    n = snprintf(made, sizeof(made), "%s://%.*s%.*s/", SCHEMES[url.scheme], SLICE_ARGS(url.authority),
                 SLICE_ARGS(url.path));
    CHECK(url_parse(slice_of(made, (size_t)n), &again, &err));
    CHECK(again.scheme == url.scheme && again.port == url.port && again.host_is_ip == url.host_is_ip);
    CHECK(slice_eq(again.host, url.host) && slice_eq(again.path, url.path));
}

/* Is the address one of the range's, bit by bit? */
static bool in_range(const struct cidr *range, const uint8_t *ip, size_t size)
{
    if (size != range->size)
        return false;
    for (unsigned bit = 0; bit < range->bits; bit++) {
        if ((ip[bit / 8] ^ range->ip[bit / 8]) >> (7 - bit % 8) & 1)
            return false;
    }
    return true;
}

/* Of the range's own address, with one bit turned over after the other. */
static void check_range(const struct cidr *range)
{
    CHECK((range->size == 4 || range->size == 16) && range->bits <= range->size * 8);
    for (unsigned bit = 0; bit <= range->size * 8u; bit++) {
        struct address a = {0};
        uint8_t ip[16];

        memcpy(ip, range->ip, sizeof(ip));
        if (bit < range->size * 8u)
            ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        a.any.sa_family = range->size == 4 ? AF_INET : AF_INET6;
        if (range->size == 4)
            memcpy(&a.v4.sin_addr, ip, 4);
        else
            memcpy(&a.v6.sin6_addr, ip, 16);
        if (address_ip_bytes(&a, ip) == range->size)
            CHECK(cidr_contains(range, &a) == in_range(range, ip, range->size));
    }
}

void fuzz_address(struct slice input)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address a, again;
    struct cidr range;
    size_t len;

    if (address_parse(input, &a) == 0) {
        len = address_format(&a, text);
        CHECK(len < sizeof(text) && len == strlen(text));
        CHECK(address_parse(slice_of(text, len), &again) == 0);
        CHECK(address_port(&again) == address_port(&a) && address_same_host(&again, &a));
    }
    if (address_parse_ip(input, 80, &a) == 0) {
        len = address_format_ip(&a, text);
        CHECK(address_parse_ip(slice_of(text, len), 80, &again) == 0 && address_same_host(&a, &again));
        CHECK(cidr_parse(input, &range) == 0 && cidr_contains(&range, &a));
    }
    if (cidr_parse(input, &range) == 0)
        check_range(&range);
}
