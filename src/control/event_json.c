#include "control/event_json.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/need.h"
#include "config/route_state.h"
#include "control/session.h"

#include <stdlib.h>

static void put_text(FILE *out, const char *text)
{
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_key(struct event_json *json, const char *key)
{
    fprintf(json->out, "%s\"%s\":", json->comma, key);
    json->comma = ",";
}

void event_json_begin(struct event_json *json)
{
    ASSERT_CONTROL();
    json->text = NULL;
    json->out = need_stream(&json->text, &json->len);
    fputc('{', json->out);
    json->comma = "";
}

void event_json_begin_route(struct event_json *json, const struct route_state *s)
{
    event_json_begin(json);
    event_json_text(json, "route_id", s->route_id);
}

void event_json_service(struct event_json *json, const struct session *s)
{
    event_json_text(json, "service", s->service);
    event_json_text(json, "instance", s->instance);
}

void event_json_text(struct event_json *json, const char *key, const char *value)
{
    put_key(json, key);
    put_text(json->out, value);
}

void event_json_number(struct event_json *json, const char *key, double value)
{
    put_key(json, key);
    fprintf(json->out, "%.15g", value);
}

void event_json_flag(struct event_json *json, const char *key, bool value)
{
    put_key(json, key);
    fputs(value ? "true" : "false", json->out);
}

void event_json_time(struct event_json *json, const char *key, uint64_t wall_ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (wall_ms)
        clock_format_s(text, wall_ms);
    event_json_text(json, key, wall_ms ? text : NULL);
}

void event_json_open_list(struct event_json *json, const char *key)
{
    put_key(json, key);
    fputc('[', json->out);
    json->comma = "";
}

void event_json_item(struct event_json *json, const char *value)
{
    fputs(json->comma, json->out);
    put_text(json->out, value);
    json->comma = ",";
}

void event_json_close_list(struct event_json *json)
{
    fputc(']', json->out);
    json->comma = ",";
}

size_t event_json_length(const struct event_json *json)
{
    return (size_t)ftell(json->out);
}

void event_json_send(struct event_json *json, struct control *c, enum event event,
                     const struct session *session)
{
    fputc('}', json->out);
    CHECK(fclose(json->out) == 0);
    events_send(c, event, session, json->text);
    free(json->text);
}
