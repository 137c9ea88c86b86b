/* head.h - a parsed message head: request or response, as slices into the bytes it was parsed from;
 * and the grammar of the texts in it (RFC 9110 section 5, RFC 3986 section 3.2).
 *
 * Thread: any. Ownership: every slice points into the caller's buffer, valid while those bytes stay
 * where they are. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdint.h>
#endif

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_PATCH,
    METHOD_CONNECT,
    METHOD_OTHER /* any other token; the text is in method_text */
};

#ifndef FFI_CDEF
/* May a request with this method be sent twice? (RFC 9110 9.2.2) */
static inline bool http_method_is_idempotent(enum method method)
{
    return method == METHOD_GET || method == METHOD_HEAD || method == METHOD_PUT ||
           method == METHOD_DELETE || method == METHOD_OPTIONS || method == METHOD_TRACE;
}
#endif

#ifndef FFI_CDEF
/* Does Max-Forwards bound the way of requests with this method? (RFC 9110 7.6.2) */
static inline bool http_counts_forwards(enum method method)
{
    return method == METHOD_TRACE || method == METHOD_OPTIONS;
}
#endif

/* Fields the proxy itself looks at or rewrites; anything else is FIELD_OTHER. */
enum http_field_id {
    FIELD_OTHER,
    FIELD_HOST,
    FIELD_CONNECTION,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    FIELD_TE,
    FIELD_TRAILER,
    FIELD_UPGRADE,
    FIELD_KEEP_ALIVE,
    FIELD_PROXY_CONNECTION,
    FIELD_PROXY_AUTHORIZATION,
    FIELD_PROXY_AUTHENTICATE,
    FIELD_EXPECT,
    FIELD_VIA,
    FIELD_FORWARDED,
    FIELD_X_FORWARDED_FOR,
    FIELD_X_FORWARDED_PROTO,
    FIELD_X_FORWARDED_HOST,
    FIELD_X_REAL_IP,
    FIELD_DATE,
    FIELD_SERVER,
    FIELD_RETRY_AFTER,
    FIELD_PROXY_STATUS,
    FIELD_MAX_FORWARDS
};

enum http_body_kind {
    BODY_NONE,       /* no body follows */
    BODY_LENGTH,     /* content_length bytes follow, also when that is 0 */
    BODY_CHUNKED,    /* chunked transfer coding */
    BODY_UNTIL_CLOSE /* response only: all bytes until the connection ends */
};

struct http_field {
    struct slice name;  /* as received */
    struct slice value; /* without white space at the ends */
    uint8_t id;         /* enum http_field_id */
    bool hop_by_hop;    /* goes no further, see http_parse_request */
};

enum { HTTP_FIELDS_MAX = 128 };

/* "1.0", "1.1" (a later 1.x, too) or "2.0", and our pseudonym (RFC 9110 7.6.3). */
#define HTTP_VIA(version) SLICE(version " tidelock")

struct http_head {
    /* request line */
    enum method method;
    struct slice method_text;
    struct slice target; /* as received */
    struct slice
        path; /* path and query in origin form, never empty; "*" for OPTIONS *, "/" for CONNECT */
    struct slice authority; /* of an absolute-form target or of CONNECT, else absent */
    /* status line */
    int status; /* 0 for a request */
    struct slice reason;
    /* both */
    struct slice via; /* what Via says of us: the version by which it came, and a name; HTTP_VIA */
    int minor; /* for codecs of HTTP/1: 0 or 1 */
    bool may_trail; /* trailers may follow a body of known length */
    bool connect; /* it was an extended CONNECT: a GET with Upgrade in its place, which becomes a tunnel or fails */
    struct slice
        host; /* request: the authority of the target, else the value of Host (may be empty) */
    struct slice host_name; /* request: of host, without port and brackets */
    enum http_body_kind body;
    uint64_t content_length; /* what Content-Length said, 0 without it; for a response that has no
                              * body by its nature (to HEAD, 204, 304) too */
    bool keep_alive;         /* the sender lets the connection go on after this message */
    bool expect_continue;    /* request: Expect: 100-continue, from HTTP/1.1 */
    bool te_trailers;        /* request: TE lists trailers */
    bool upgrade;            /* Connection lists upgrade and there is an Upgrade field */
    unsigned field_count;
    uint32_t present; /* bit 1 << id of each id but FIELD_OTHER that a field has, perhaps of more */
    struct http_field fields[HTTP_FIELDS_MAX];
};

#ifndef FFI_CDEF
/* May there be a field with this id? False is sure. */
static inline bool http_head_may_have(const struct http_head *head, enum http_field_id id)
{
    return head->present >> id & 1;
}
#endif

/* The first field with this id, which is not FIELD_OTHER, or NULL. */
const struct http_field *http_head_find(const struct http_head *head, enum http_field_id id);

/* The id of a field name. */
enum http_field_id http_field_id(struct slice name);

/* Is name one with an id, but for an underscore in place of a dash? A backend that makes variables of fields, as CGI
 * does, cannot tell the two apart. */
bool http_name_imitates(struct slice name);

/* Are two names the same to such a backend? */
bool http_names_alike(struct slice a, struct slice b);

/* Takes the next element off the comma separated list *rest into *element, without white space
 * around it; empty elements are passed over. False at the end. Quotes are not looked at: for lists
 * of tokens. */
bool http_list_next(struct slice *rest, struct slice *element);

/* Does the comma separated list value contain token (case ignored)? */
bool http_list_has(struct slice value, struct slice token);

#ifndef FFI_CDEF
/* May a field value have this byte? None but control bytes other than tab may not. */
static inline bool http_is_value_byte(unsigned char byte)
{
    return byte >= ' ' ? byte != 0x7f : byte == '\t';
}
#endif

/* Is text a valid field name (token), field value (http_is_value_byte)? */
bool http_is_token(struct slice text);
bool http_is_field_value(struct slice text);

/* The method of this name. */
enum method http_method_of(struct slice text);

/* The number that a Content-Length is: digits, below 2^64. */
MUST_USE bool http_read_length(struct slice value, uint64_t *n);

/* May text be a request target: printable ASCII without spaces, not empty, no fragment? */
bool http_is_target(struct slice text);

/* Splits "host", "host:port", "[v6]:port" into host (without brackets) and port (absent when there
 * is none, or nothing behind the colon; else 1 to 65535). False when it is no valid authority
 * without userinfo: an empty host, a byte that no host may have, a comma (it may have been two fields), an IPv6 address
 * that is none. */
MUST_USE bool http_split_authority(struct slice authority, struct slice *host, struct slice *port);
