#include "control/scripts_tell.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "control/control.h"
#include "control/event_json.h"
#include "control/line.h"
#include "script/bundle.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 20 }; /* changed files that are named */

/* Makes a text fit for a line of the registry. */
static void clean(char *text)
{
    bool broken = line_check(slice_str(text)) != NULL;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            *text = ' ';
        else if (c >= 0x80 && broken)
            *text = '?';
    }
}

void scripts_fault_set(struct scripts_fault *fault, const struct error *err)
{
    const char *end = strstr(err->text, ".lua:");

    *fault = (struct scripts_fault){.error = *err, .wall_ms = clock_wall_ms()};
    clean(fault->error.text);
    if (!end)
        return;
    end += strlen(".lua");
    snprintf(fault->file, sizeof(fault->file), "%.*s", (int)(end - err->text), fault->error.text);
    if (isdigit((unsigned char)end[1]))
        fault->line = (unsigned)strtoul(end + 1, NULL, 10);
}

/* Calls fn for each file that differs, with "added", "changed" or "removed". */
static void each_change(const struct bundle *old, const struct bundle *now,
                        void (*fn)(void *arg, const char *path, const char *how), void *arg)
{
    for (unsigned i = 0; i < now->count; i++) {
        const struct bundle_file *file = &now->files[i], *was = bundle_find(old, file->path);

        if (!was)
            fn(arg, file->path, "added");
        else if (was->len != file->len || memcmp(was->text, file->text, file->len) != 0)
            fn(arg, file->path, "changed");
    }
    for (unsigned i = 0; i < old->count; i++) {
        if (!bundle_find(now, old->files[i].path))
            fn(arg, old->files[i].path, "removed");
    }
}

/* Changes as a text on their way into the log. */
struct change_text {
    FILE *out;
    unsigned count;
};

static void put_change(void *arg, const char *path, const char *how)
{
    struct change_text *text = arg;

    if (text->count++ < NAMES_MAX)
        fprintf(text->out, "%s%s %s", text->count > 1 ? ", " : "", path, how);
    else if (text->count == NAMES_MAX + 1)
        fputs(", ...", text->out);
}

void scripts_log_serving(const struct scripts *s, const struct bundle *old, const char *why)
{
    struct change_text changes = {0};
    char *text = NULL, *msg;
    size_t len;

    changes.out = need_stream(&text, &len);
    each_change(old, s->serving, put_change, &changes);
    CHECK(fclose(changes.out) == 0);
    msg = need_printf("[scripts] generation %llu in service", (unsigned long long)s->serving->generation);
    log_write(LOG_INFO, msg, "why=%s files=%u changes=\"%s\"", why, s->serving->count, text);
    free(msg);
    free(text);
}

static void put_item(void *arg, const char *path, const char *how)
{
    (void)how;
    event_json_item(arg, path);
}

void scripts_send_serving(struct control *c, const struct bundle *old, const struct bundle *now,
                          uint64_t taken_back, const char *reason)
{
    struct event_json json;

    event_json_begin(&json);
    event_json_number(&json, "scripts_generation", (double)now->generation);
    if (taken_back) {
        event_json_number(&json, "scripts_rolled_back", (double)taken_back);
        event_json_text(&json, "reason", reason);
    }
    event_json_open_list(&json, "changed");
    each_change(old, now, put_item, &json);
    event_json_close_list(&json);
    event_json_send(&json, c, EVENT_GLOBAL_CONFIG_CHANGED, NULL);
}

/* An error may quote; the log puts quotes around it. */
static struct error unquoted(const struct error *err)
{
    struct error out = *err;

    for (char *at = out.text; (at = strchr(at, '"')) != NULL;)
        *at = '\'';
    return out;
}

static void put_fault(struct event_json *json, const struct scripts_fault *fault)
{
    event_json_text(json, "file", fault->file[0] ? fault->file : NULL);
    if (fault->line)
        event_json_number(json, "line", fault->line);
    else
        event_json_text(json, "line", NULL);
    event_json_text(json, "reason", fault->error.text);
}

void scripts_tell_refused(const struct scripts *s, const char *why)
{
    struct error reason = unquoted(&s->refused.error);
    struct event_json json;

    log_write(LOG_ERROR, "[scripts] refused, the generation in service stays",
              "generation=%llu why=%s file=%s line=%u reason=\"%s\"",
              (unsigned long long)s->serving->generation, why, s->refused.file, s->refused.line,
              reason.text);
    event_json_begin(&json);
    event_json_number(&json, "scripts_generation", (double)s->serving->generation);
    event_json_flag(&json, "scripts_refused", true);
    put_fault(&json, &s->refused);
    event_json_send(&json, s->control, EVENT_GLOBAL_CONFIG_CHANGED, NULL);
}

void scripts_tell_policy_off(const struct scripts *s, const char *kind, const char *policy,
                             const char *without, const struct scripts_fault *fault)
{
    struct error reason = unquoted(&fault->error);
    struct event_json json;
    char msg[80];

    snprintf(msg, sizeof(msg), "[scripts] %s policy switched off until scripts change", kind);
    log_write(LOG_ERROR, msg, "policy=%s generation=%llu without=\"%s\" reason=\"%s\"", policy,
              (unsigned long long)s->serving->generation, without, reason.text);
    event_json_begin(&json);
    event_json_number(&json, "scripts_generation", (double)s->serving->generation);
    event_json_text(&json, "policy_off", policy);
    event_json_text(&json, "policy_kind", kind);
    put_fault(&json, fault);
    event_json_send(&json, s->control, EVENT_GLOBAL_CONFIG_CHANGED, NULL);
}
