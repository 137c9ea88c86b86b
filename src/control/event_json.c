#include "control/event_json.h"

#include "base/check.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { END_SIZE = 2 }; /* the closing brace and the NUL */

/* Appends; false when it does not fit, and then nothing was added. */
static bool put(struct event_json *json, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool put(struct event_json *json, const char *fmt, ...)
{
    size_t room = EVENT_JSON_SIZE - END_SIZE - json->len;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(json->text + json->len, room, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room)
        return false;
    json->len += (size_t)n;
    return true;
}

static bool put_quoted(struct event_json *json, const char *text)
{
    bool ok = put(json, "\"");

    for (; ok && *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            ok = put(json, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            ok = put(json, "\\u%04x", c);
        else
            ok = put(json, "%c", c);
    }
    return ok && put(json, "\"");
}

static bool put_key(struct event_json *json, const char *key)
{
    return put(json, json->len > 1 ? ",\"%s\":" : "\"%s\":", key);
}

void event_json_begin(struct event_json *json)
{
    json->len = 0;
    CHECK(put(json, "{"));
}

/* A field that did not fit goes again. */
static void end_field(struct event_json *json, size_t before, bool ok)
{
    if (!ok)
        json->len = before;
}

void event_json_text(struct event_json *json, const char *key, const char *value)
{
    size_t before = json->len;

    end_field(json, before,
              put_key(json, key) && (value ? put_quoted(json, value) : put(json, "null")));
}

void event_json_number(struct event_json *json, const char *key, uint64_t value)
{
    size_t before = json->len;

    end_field(json, before, put_key(json, key) && put(json, "%" PRIu64, value));
}

void event_json_flag(struct event_json *json, const char *key, bool value)
{
    size_t before = json->len;

    end_field(json, before, put_key(json, key) && put(json, value ? "true" : "false"));
}

void event_json_time(struct event_json *json, const char *key, uint64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (wall_ms)
        clock_format_s(text, wall_ms);
    event_json_text(json, key, wall_ms ? text : NULL);
}

void event_json_texts(struct event_json *json, const char *key, const char *const *values,
                      unsigned count)
{
    size_t before = json->len;
    bool ok = put_key(json, key) && put(json, "[");

    for (unsigned i = 0; ok && i < count; i++)
        ok = (i == 0 || put(json, ",")) && put_quoted(json, values[i]);
    end_field(json, before, ok && put(json, "]"));
}

const char *event_json_end(struct event_json *json)
{
    json->text[json->len] = '}';
    json->text[json->len + 1] = '\0';
    return json->text;
}
