/* parse.h - bytes to message heads (RFC 9112), strictly.
 *
 * http-parser knows the grammar; as packaged it is lenient, so this module refuses what is
 * ambiguous or dangerous: a bare LF or CR, white space before a colon, folded lines, control bytes,
 * bytes above 127 outside field values and reason phrases, more than one Host, repeated or
 * disagreeing Content-Length, Content-Length together with Transfer-Encoding, a Transfer-Encoding
 * that is not exactly "chunked" or comes with HTTP/1.0, a missing Host in HTTP/1.1 (RFC 9112 3.2),
 * an unparsable Host, a target in none of the four forms, with a fragment, or absolute with a query
 * but no path.
 *
 * Request and status lines are read here, so a method is any token; http-parser, which has a list of
 * methods, is shown what comes behind them.
 *
 * hop_by_hop is set for Connection, Keep-Alive, Proxy-Connection, Proxy-Authenticate,
 * Proxy-Authorization, TE, Transfer-Encoding and Upgrade, for a name with an underscore that imitates
 * one with an id (http_name_imitates), and for what Connection names. It can not name away a field
 * that everybody on the way needs: one with an id of its own, or a content, cookie, cache,
 * condition, range or authorization field; such a name is ignored.
 *
 * A head is parsed in one go once it is complete; until then only line ends are looked for, each
 * byte once (scan state in struct http_scan; those behind a bare CR again). Limits hold for incomplete heads too.
 *
 * Thread: any; no state but what is passed. Ownership: slices in the head point into data (a path
 * that the target left out, and that of CONNECT, to a constant). FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "http/head.h"
#endif

enum parse {
    PARSE_MORE, /* the head is not complete yet */
    PARSE_DONE,
    PARSE_BAD,            /* malformed; answer 400 (request) or 502 (response) */
    PARSE_HEAD_TOO_BIG,   /* more than head_size bytes, or too many fields; 431 */
    PARSE_TARGET_TOO_BIG, /* the target is longer than target_length; 414 */
    PARSE_VERSION         /* not HTTP/1.x; 505 */
};

struct http_limits {
    uint32_t head_size;     /* bytes of a whole head, request line included */
    uint32_t field_count;   /* fields, at most HTTP_FIELDS_MAX */
    uint32_t target_length; /* bytes of a request target */
};

/* Where the search for the end of a head stands; zeroed before each head. */
struct http_scan {
    uint32_t line; /* offset of the first byte of the line not yet complete */
    uint32_t seen; /* bytes already searched */
    uint32_t fields; /* offset of what is behind the first line, once that is complete */
    bool controls;   /* a byte below 32 that is no CR or LF, or a DEL, was seen: perhaps a tab, perhaps to be refused */
};

/* Looks for a complete request head at data[0, len). Empty lines before it are skipped (RFC
 * 9112 2.2), and count as its bytes. PARSE_DONE: *head is filled and *used is the number of bytes
 * it took. An error: *error is a static sentence that names what is wrong. Call again with the same
 * scan and more data after PARSE_MORE. */
MUST_USE enum parse http_parse_request(struct http_head *head, const char *data, size_t len,
                                       struct http_scan *scan, const struct http_limits *limits,
                                       size_t *used, const char **error);

/* The same for a response to a request of the given method, which decides whether a body follows
 * (RFC 9112 6.3). No empty lines are skipped; what does not begin with "HTTP/" is PARSE_BAD at once.
 * A 1xx head is returned like any other, without a body; one that announces a body is PARSE_BAD. A 204
 * that does is not keep_alive. */
MUST_USE enum parse http_parse_response(struct http_head *head, enum method method,
                                        const char *data, size_t len, struct http_scan *scan,
                                        const struct http_limits *limits, size_t *used,
                                        const char **error);

/* Parses a complete trailer section, block ending with its empty line, into head->fields (nothing
 * else of *head is touched). Fields that may not come as trailers (RFC 9110 6.5.1: all with an id
 * of their own, and those that Connection can not name) are marked hop_by_hop. Never PARSE_MORE. */
MUST_USE enum parse http_parse_trailers(struct http_head *head, struct slice block,
                                        const struct http_limits *limits, const char **error);
