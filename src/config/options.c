#include "config/options.h"

#include <stddef.h>

enum { NAME_MAX_LENGTH = 64, HOST_MAX_LENGTH = 253, PATH_MAX_LENGTH = 1024, TEXT_MAX_LENGTH = 1024, TEXT_SHOWN = 40 };

#define COUNT_MAX 1000000u
#define SIZE_VALUE_MAX (UINT64_C(1) << 50)
#define DURATION_MAX_NS (UINT64_C(100) * 365 * 24 * 3600 * 1000 * 1000 * 1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

const struct option_info option_table[OPTION_IDS] = {
#define OPTION_ROW(id, key, type, in_effect, meaning) {key, type, in_effect, meaning},
    OPTIONS(OPTION_ROW)
#undef OPTION_ROW
};

const struct option_info *option_find(struct slice key)
{
    for (size_t i = 0; i < OPTION_IDS; i++) {
        if (slice_eq(slice_str(option_table[i].key), key))
            return &option_table[i];
    }
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Nanoseconds of the unit at the front of *text, which is dropped; 0 for an unknown one. */
static uint64_t take_unit(struct slice *text)
{
    static const struct {
        struct slice name;
        uint64_t ns;
    } units[] = {
        {{"ns", 2}, 1},
        {{"us", 2}, 1000},
        {{"\xc2\xb5s", 3}, 1000}, /* micro sign */
        {{"\xce\xbcs", 3}, 1000}, /* Greek mu */
        {{"ms", 2}, NS_PER_MS},
        {{"s", 1}, NS_PER_S},
        {{"m", 1}, 60 * NS_PER_S},
        {{"h", 1}, 3600 * NS_PER_S},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (slice_starts(*text, units[i].name)) {
            text->data += units[i].name.len;
            text->len -= units[i].name.len;
            return units[i].ns;
        }
    }
    return 0;
}

/* A decimal number: whole + part / scale. */
struct decimal {
    uint64_t whole, part, scale;
};

/* Takes "12", "12.", "12.5" or ".5" off the front of *text; false when there is no digit or too
 * many. */
static bool take_decimal(struct slice *text, struct decimal *out)
{
    size_t i = 0, digits = 0;

    *out = (struct decimal){0, 0, 1};
    for (; i < text->len && is_digit(text->data[i]); i++, digits++) {
        if (out->whole > DURATION_MAX_NS / 10)
            return false;
        out->whole = out->whole * 10 + (uint64_t)(text->data[i] - '0');
    }
    if (i < text->len && text->data[i] == '.') {
        for (i++; i < text->len && is_digit(text->data[i]); i++, digits++) {
            if (out->scale >= 1000000)
                continue; /* what follows is under 4 ms even for hours */
            out->part = out->part * 10 + (uint64_t)(text->data[i] - '0');
            out->scale *= 10;
        }
    }
    text->data += i;
    text->len -= i;
    return digits > 0;
}

bool duration_parse(struct slice text, uint64_t *ms)
{
    uint64_t total = 0;
    bool first = true;

    if (text.len > 0 && text.data[0] == '+')
        text = slice_of(text.data + 1, text.len - 1);
    do {
        struct decimal d;
        uint64_t unit;

        if (!take_decimal(&text, &d))
            return false;
        unit = first && text.len == 0 ? NS_PER_S : take_unit(&text);
        if (unit == 0 || d.whole > DURATION_MAX_NS / unit)
            return false;
        total += d.whole * unit + d.part * unit / d.scale;
        if (total > DURATION_MAX_NS)
            return false;
        first = false;
    } while (text.len > 0);
    *ms = (total + NS_PER_MS - 1) / NS_PER_MS;
    return true;
}

/* A whole number up to max, then nothing else. */
static bool parse_number(struct slice text, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.data[i]))
            return false;
        n = n * 10 + (uint64_t)(text.data[i] - '0');
        if (n > max)
            return false;
    }
    *out = n;
    return true;
}

static bool parse_size(struct slice text, uint64_t *out)
{
    unsigned shift = 0;
    uint64_t n;

    if (text.len > 0) {
        switch (text.data[text.len - 1] | 0x20) {
        case 'k':
            shift = 10;
            break;
        case 'm':
            shift = 20;
            break;
        case 'g':
            shift = 30;
            break;
        }
    }
    if (shift)
        text.len--;
    if (!parse_number(text, SIZE_VALUE_MAX >> shift, &n))
        return false;
    *out = n << shift;
    return true;
}

/* The index of a word among names. */
static bool parse_word(struct slice text, const char *const *names, size_t count, uint64_t *out)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_eq(slice_str(names[i]), text)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool parse_lb(struct slice text, uint64_t *out)
{
    static const char *const names[] = {
        [LB_ROUND_ROBIN] = "round_robin",
        [LB_LEAST_REQUEST] = "least_request",
        [LB_IP_HASH] = "ip_hash",
    };

    return parse_word(text, names, sizeof(names) / sizeof(names[0]), out);
}

static bool parse_panic(struct slice text, uint64_t *out)
{
    static const char *const names[] = {[PANIC_NONE] = "none", [PANIC_FAIL_OPEN] = "fail_open"};

    return parse_word(text, names, sizeof(names) / sizeof(names[0]), out);
}

/* Neither query nor fragment, as for every path in the configuration. */
static bool is_path(struct slice text)
{
    if (text.len == 0 || text.len > PATH_MAX_LENGTH || text.data[0] != '/')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c <= ' ' || c >= 127 || c == '?' || c == '#')
            return false;
    }
    return true;
}

static bool is_name(struct slice text)
{
    if (text.len == 0 || text.len > NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* A name, or an IPv4 address, which looks like one. */
static bool is_host(struct slice text)
{
    size_t label = 0;

    if (text.len == 0 || text.len > HOST_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '.' ? label == 0 : !is_name(slice_of(&text.data[i], 1)))
            return false;
        label = c == '.' ? 0 : label + 1;
    }
    return label > 0;
}

static bool is_text(struct slice text)
{
    if (text.len == 0 || text.len > TEXT_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 127)
            return false;
    }
    return true;
}

static bool parse_value(enum option_type type, struct slice value, uint64_t *out)
{
    *out = 0;
    switch (type) {
    case OPTION_DURATION:
        return duration_parse(value, out);
    case OPTION_SIZE:
        return parse_size(value, out);
    case OPTION_COUNT:
        return parse_number(value, COUNT_MAX, out);
    case OPTION_BOOL:
        *out = slice_eq(value, SLICE("true"));
        return *out || slice_eq(value, SLICE("false"));
    case OPTION_LB:
        return parse_lb(value, out);
    case OPTION_PATH:
        return is_path(value);
    case OPTION_NAME:
        return is_name(value);
    case OPTION_HOST:
        return is_host(value);
    case OPTION_PERCENT:
        return parse_number(value, 100, out);
    case OPTION_PANICS:
        return parse_panic(value, out);
    case OPTION_TEXT:
        return is_text(value);
    }
    return false;
}

bool option_parse(const struct option_info *option, struct slice value, union option_value *out,
                  struct error *err)
{
    static const char *const takes[] = {
        [OPTION_SIZE] = "a size in bytes like 1048576, 512k, 10m or 1g",
        [OPTION_COUNT] = "a whole number from 0 to 1000000",
        [OPTION_BOOL] = "true or false",
        [OPTION_LB] = "round_robin, least_request or ip_hash",
        [OPTION_PATH] = "a path that starts with \"/\", without query",
        [OPTION_NAME] = "a name of letters, digits, \"_\" and \"-\"",
        [OPTION_PERCENT] = "a whole number from 0 to 100",
        [OPTION_PANICS] = "none or fail_open",
        [OPTION_HOST] = "a host name",
        [OPTION_TEXT] = "1 to 1024 bytes of text",
    };

    if (parse_value(option->type, value, &out->number))
        return true;
    if (option->type == OPTION_DURATION)
        return error_set(err, "invalid duration: %s", option->key);
    return error_set(err, "invalid option %s: takes %s, not \"%.*s\"", option->key,
                     takes[option->type], SLICE_ARGS(slice_cut(value.data ? value : SLICE(""), TEXT_SHOWN)));
}
