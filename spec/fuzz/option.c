/* Values of options: what was read, written in the plainest way, reads the same; and what is taken can be used where it goes. */
#include "config/options.h"
#include "control/line.h"
#include "http/head.h"
#include "http/path.h"
#include "spec/fuzz/fuzz.h"

#include <stdio.h>

/* A number as its type is written. */
static void check_number(const struct option_info *option, uint64_t number)
{
    union option_value again;
    struct error err;
    char text[40];
    int n = snprintf(text, sizeof(text), option->type == OPTION_DURATION ? "%llums" : "%llu",
                     (unsigned long long)number);

    CHECK(option_parse(option, slice_of(text, (size_t)n), &again, &err));
    CHECK(again.number == number);
}

/* No text that is taken may end a line or a field that it is written into. */
static void check_text(struct slice value)
{
    CHECK(value.len && http_is_field_value(value));
    for (size_t i = 0; i < value.len; i++)
        CHECK((uint8_t)value.data[i] >= ' ' && value.data[i] != 127);
}

static void check_host(struct slice value)
{
    struct slice host, port;

    CHECK(http_split_authority(value, &host, &port));
    CHECK(slice_eq(host, value) && !port.data);
}

static void check(const struct option_info *option, struct slice value)
{
    union option_value out;
    struct error err = {""};

    if (!option_parse(option, value, &out, &err)) {
        CHECK(strstr(err.text, option->key));
        /* The answer is a line as good as the one that asked. */
        CHECK(line_check(value) || !line_check(slice_str(err.text)));
        return;
    }
    switch (option->type) {
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_COUNT:
    case OPTION_PERCENT:
        check_number(option, out.number);
        CHECK(option->type != OPTION_PERCENT || out.number <= 100);
        break;
    case OPTION_PATH:
        CHECK(value.data[0] == '/' && http_is_target(value));
        break;
    case OPTION_HOST:
        check_host(value);
        break;
    case OPTION_NAME:
    case OPTION_TEXT:
        check_text(value);
        break;
    default:
        CHECK(out.number <= 2);
    }
}

/* Two durations, one behind the other, are their sum but for what is rounded up; bare seconds stand alone. */
static void check_sum(struct slice a, uint64_t a_ms)
{
    char text[256];
    uint64_t ms;
    int n = snprintf(text, sizeof(text), "%.*s7ms", SLICE_ARGS(a));

    if (a.len > 100 || a.data[a.len - 1] == '.' || (a.data[a.len - 1] >= '0' && a.data[a.len - 1] <= '9'))
        return;
    if (duration_parse(slice_of(text, (size_t)n), &ms))
        CHECK(ms == a_ms + 7);
}

void fuzz_option(struct slice input)
{
    uint64_t ms;

    for (int i = 0; i < OPTION_IDS; i++)
        check(&option_table[i], input);
    if (duration_parse(input, &ms))
        check_sum(input, ms);
}
