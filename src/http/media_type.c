#include "http/media_type.h"

#include "http/head.h"

static bool ends_nocase(struct slice s, struct slice end)
{
    return s.len >= end.len && slice_eq_nocase(slice_skip(s, s.len - end.len), end);
}

static bool matches(struct slice type, struct slice pattern)
{
    if (pattern.data[0] == '+')
        return ends_nocase(type, pattern);
    if (pattern.data[pattern.len - 1] == '*') {
        pattern.len--; /* the kind with its slash */
        return type.len > pattern.len && slice_eq_nocase(slice_of(type.data, pattern.len), pattern);
    }
    return slice_eq_nocase(type, pattern);
}

bool media_type_in(struct slice content_type, const struct slice *patterns, unsigned count)
{
    struct slice type;

    if (!slice_split(&content_type, ';', &type))
        return false;
    type = slice_trim(type);
    for (unsigned i = 0; i < count; i++)
        if (matches(type, patterns[i]))
            return true;
    return false;
}

bool media_type_is_pattern(struct slice text)
{
    struct slice kind;

    if (text.len > 1 && text.data[0] == '+')
        return http_is_token(slice_skip(text, 1));
    if (!slice_split(&text, '/', &kind) || !text.data)
        return false;
    /* A star is a token's byte, too: "text/ht*" would take more than it says. */
    return http_is_token(kind) && !memchr(kind.data, '*', kind.len) && http_is_token(text) &&
           (slice_eq(text, SLICE("*")) || !memchr(text.data, '*', text.len));
}
