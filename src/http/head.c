#include "http/head.h"

#include <arpa/inet.h>

/* What a byte may be part of. */
enum { IN_TOKEN = 1, IN_VALUE = 2, IN_TARGET = 4, IN_HOST = 8 };

#define TOKEN (IN_TOKEN | IN_VALUE | IN_TARGET)
#define HOST (IN_HOST | IN_VALUE | IN_TARGET)
#define BOTH (IN_TOKEN | HOST)
#define PLAIN (IN_VALUE | IN_TARGET)
#define VALUE IN_VALUE

/* '%' in a host is looked at by the one who walks it; '#' starts a fragment, which no target has.
 */
static const unsigned char BYTES[256] = {
    ['\t'] = VALUE,
    [' '] = VALUE,
    ['!'] = BOTH,
    ['"'] = PLAIN,
    ['#'] = IN_TOKEN | IN_VALUE,
    ['$'] = BOTH,
    ['%'] = TOKEN,
    ['&'] = BOTH,
    ['\''] = BOTH,
    ['('] = HOST,
    [')'] = HOST,
    ['*'] = BOTH,
    ['+'] = BOTH,
    [','] = PLAIN, /* two hosts that somebody joined, as far as anybody can tell */
    ['-'] = BOTH,
    ['.'] = BOTH,
    ['/'] = PLAIN,
    ['0' ... '9'] = BOTH,
    [':'] = PLAIN,
    [';'] = HOST,
    ['<'] = PLAIN,
    ['='] = HOST,
    ['>' ... '@'] = PLAIN,
    ['A' ... 'Z'] = BOTH,
    ['[' ... ']'] = PLAIN,
    ['^'] = TOKEN,
    ['_'] = BOTH,
    ['`'] = TOKEN,
    ['a' ... 'z'] = BOTH,
    ['{'] = PLAIN,
    ['|'] = TOKEN,
    ['}'] = PLAIN,
    ['~'] = BOTH,
    [0x80 ... 0xff] = VALUE,
};

static bool all_in(struct slice text, unsigned char class)
{
    unsigned char common = class;

    for (size_t i = 0; i < text.len; i++)
        common &= BYTES[(unsigned char)text.data[i]];
    return common != 0;
}

bool http_is_token(struct slice text)
{
    return text.len > 0 && all_in(text, IN_TOKEN);
}

bool http_is_field_value(struct slice text)
{
    return all_in(text, IN_VALUE);
}

bool http_is_target(struct slice text)
{
    return text.len > 0 && all_in(text, IN_TARGET);
}

enum method http_method_of(struct slice text)
{
    static const struct slice NAMES[METHOD_OTHER] = {
        [METHOD_GET] = {"GET", 3},         [METHOD_HEAD] = {"HEAD", 4},
        [METHOD_POST] = {"POST", 4},       [METHOD_PUT] = {"PUT", 3},
        [METHOD_DELETE] = {"DELETE", 6},   [METHOD_OPTIONS] = {"OPTIONS", 7},
        [METHOD_TRACE] = {"TRACE", 5},     [METHOD_PATCH] = {"PATCH", 5},
        [METHOD_CONNECT] = {"CONNECT", 7},
    };

    for (int i = 0; i < METHOD_OTHER; i++) {
        if (slice_eq(text, NAMES[i]))
            return (enum method)i;
    }
    return METHOD_OTHER;
}

bool http_read_length(struct slice value, uint64_t *n)
{
    enum { DIGITS_THAT_FIT = 19 }; /* whichever they are */
    uint64_t sum = 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned digit = (unsigned)(unsigned char)value.data[i] - '0';

        if (digit > 9 || (i >= DIGITS_THAT_FIT && sum > (UINT64_MAX - digit) / 10))
            return false;
        sum = sum * 10 + digit;
    }
    *n = sum;
    return value.len > 0;
}

/* Field names */

enum { NAME_MAX_LEN = 19, SAME_LENGTH = 2 };

struct known_name {
    char name[NAME_MAX_LEN + 1]; /* lower case */
    enum http_field_id id;
};

/* By length; no length has more than two, and these begin with different letters. */
static const struct known_name KNOWN_NAMES[NAME_MAX_LEN + 1][SAME_LENGTH] = {
    [2] = {{"te", FIELD_TE}},
    [3] = {{"via", FIELD_VIA}},
    [4] = {{"host", FIELD_HOST}, {"date", FIELD_DATE}},
    [6] = {{"expect", FIELD_EXPECT}, {"server", FIELD_SERVER}},
    [7] = {{"upgrade", FIELD_UPGRADE}, {"trailer", FIELD_TRAILER}},
    [9] = {{"forwarded", FIELD_FORWARDED}, {"x-real-ip", FIELD_X_REAL_IP}},
    [10] = {{"connection", FIELD_CONNECTION}, {"keep-alive", FIELD_KEEP_ALIVE}},
    [11] = {{"retry-after", FIELD_RETRY_AFTER}},
    [12] = {{"proxy-status", FIELD_PROXY_STATUS}, {"max-forwards", FIELD_MAX_FORWARDS}},
    [14] = {{"content-length", FIELD_CONTENT_LENGTH}},
    [15] = {{"x-forwarded-for", FIELD_X_FORWARDED_FOR}},
    [16] = {{"x-forwarded-host", FIELD_X_FORWARDED_HOST},
            {"proxy-connection", FIELD_PROXY_CONNECTION}},
    [17] = {{"transfer-encoding", FIELD_TRANSFER_ENCODING},
            {"x-forwarded-proto", FIELD_X_FORWARDED_PROTO}},
    [18] = {{"proxy-authenticate", FIELD_PROXY_AUTHENTICATE}},
    [19] = {{"proxy-authorization", FIELD_PROXY_AUTHORIZATION}},
};

enum http_field_id http_field_id(struct slice name)
{
    const struct known_name *known;

    if (name.len > NAME_MAX_LEN || !name.len)
        return FIELD_OTHER;
    known = KNOWN_NAMES[name.len];
    if ((name.data[0] | 0x20) != known->name[0])
        known++;
    if ((name.data[0] | 0x20) != known->name[0])
        return FIELD_OTHER;
    return strncasecmp(name.data, known->name, name.len) == 0 ? known->id : FIELD_OTHER;
}

static SELDOM bool is_known_with_dashes(struct slice name)
{
    char dashed[NAME_MAX_LEN] = {0};

    for (size_t i = 0; i < name.len; i++)
        dashed[i] = name.data[i] == '_' ? '-' : name.data[i];
    return http_field_id(slice_of(dashed, name.len)) != FIELD_OTHER;
}

bool http_name_imitates(struct slice name)
{
    return name.len <= NAME_MAX_LEN && memchr(name.data, '_', name.len) && is_known_with_dashes(name);
}

bool http_names_alike(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.data[i] == '_' ? '-' : a.data[i], y = b.data[i] == '_' ? '-' : b.data[i];

        if (x != y && strncasecmp(&x, &y, 1) != 0)
            return false;
    }
    return true;
}

const struct http_field *http_head_find(const struct http_head *head, enum http_field_id id)
{
    if (!http_head_may_have(head, id))
        return NULL;
    for (unsigned i = 0; i < head->field_count; i++) {
        if (head->fields[i].id == id)
            return &head->fields[i];
    }
    return NULL;
}

/* Lists */

bool http_list_next(struct slice *rest, struct slice *element)
{
    while (slice_split(rest, ',', element)) {
        *element = slice_trim(*element);
        if (element->len)
            return true;
    }
    return false;
}

bool http_list_has(struct slice value, struct slice token)
{
    struct slice element;

    while (http_list_next(&value, &element)) {
        if (slice_eq_nocase(element, token))
            return true;
    }
    return false;
}

/* Authorities */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Bytes of the name at the front of text, up to what can be no part of one. */
static size_t reg_name_len(struct slice text)
{
    size_t n = 0;

    for (;;) {
        while (n < text.len && (BYTES[(unsigned char)text.data[n]] & IN_HOST))
            n++;
        if (text.len - n < 3 || text.data[n] != '%' || !is_hex(text.data[n + 1]) || !is_hex(text.data[n + 2]))
            return n;
        n += 3;
    }
}

static SELDOM bool is_ipv6(struct slice host)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    if (host.len == 0 || host.len >= sizeof(copy) || memchr(host.data, '\0', host.len))
        return false;
    memcpy(copy, host.data, host.len);
    copy[host.len] = '\0';
    return inet_pton(AF_INET6, copy, &ignored) == 1;
}

static bool is_port(struct slice port)
{
    unsigned n = 0;

    for (size_t i = 0; i < port.len; i++) {
        if (port.data[i] < '0' || port.data[i] > '9')
            return false;
        n = n * 10 + (unsigned)(port.data[i] - '0');
        if (n > 65535)
            return false;
    }
    return n > 0 || port.len == 0;
}

bool http_split_authority(struct slice authority, struct slice *host, struct slice *port)
{
    size_t stop; /* where the host ends, brackets included */
    struct slice behind;

    *port = slice_of(NULL, 0);
    if (authority.len && authority.data[0] == '[') {
        const char *bracket = memchr(authority.data, ']', authority.len);

        if (!bracket)
            return false;
        *host = slice_of(authority.data + 1, (size_t)(bracket - authority.data) - 1);
        stop = host->len + 2;
        if (!is_ipv6(*host))
            return false;
    } else {
        stop = reg_name_len(authority);
        *host = slice_of(authority.data, stop);
        if (stop == 0)
            return false;
    }
    if (stop == authority.len)
        return true;
    behind = slice_skip(authority, stop + 1);
    if (authority.data[stop] != ':' || !is_port(behind))
        return false;
    if (behind.len)
        *port = behind;
    return true;
}
