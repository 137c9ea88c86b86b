/* url.h - a backend URL: scheme://host[:port][/base/path].
 *
 * Thread: any. Ownership: slices point into the parsed text. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include <stdint.h>
#endif

enum url_scheme { URL_HTTP, URL_HTTPS, URL_WS, URL_WSS, URL_H2C, URL_H2 };

struct url {
    enum url_scheme scheme;
    struct slice authority; /* host[:port] as written, for the Host field */
    struct slice host;      /* name or address, IPv6 without brackets */
    uint16_t port;          /* as written, or the scheme's */
    bool host_is_ip;        /* needs no resolving */
    struct slice path;      /* base path without its trailing slash; empty for the root */
};

/* Is the backend spoken to with HTTP/2, without asking: over plain TCP (h2c) or TLS (h2)? */
bool url_is_http2(const struct url *url);
/* Is the backend spoken to with TLS? */
bool url_is_tls(const struct url *url);

/* Parses text. false: err says what is wrong ("backend_url: port out of range"). Refused: other
 * schemes, userinfo, query, fragment, no host, port 0 or above 65535, control bytes, spaces. */
MUST_USE bool url_parse(struct slice text, struct url *out, struct error *err);
