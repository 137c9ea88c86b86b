#include "control/certificates_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "control/certificates.h"
#include "control/control.h"
#include "control/event_json.h"

enum { DAY_S = 24 * 3600 };

int certificate_days_left(const struct certificate *c)
{
    int64_t left_s = c->not_after_s - (int64_t)(clock_wall_ms() / 1000);

    return (int)(left_s >= 0 ? left_s / DAY_S : -1);
}

/* The step of 30, 7, 1 and 0 days that days have come down to; CERTIFICATE_UNTOLD: none. */
static int step_of(int days)
{
    static const int steps[] = {1, 7, 30};

    if (days < 0)
        return -1;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (days < steps[i])
            return steps[i];
    return CERTIFICATE_UNTOLD;
}

static void tell_expiry(struct certificate *c)
{
    int days = certificate_days_left(c), step = step_of(days);
    char text[CLOCK_TEXT_SIZE];

    if (step >= c->told_days)
        return;
    c->told_days = step;
    clock_format_s(text, (uint64_t)c->not_after_s * 1000);
    if (days < 0)
        log_write(LOG_ERROR, "certificate has expired", "file=%s at=%s", c->file, text);
    else
        log_write(step > 1 ? LOG_WARN : LOG_ERROR, "certificate expires", "file=%s days=%d at=%s", c->file, days, text);
}

void certificates_tell_expiry(struct certificates *cs)
{
    for (unsigned i = 0; i < cs->list.count; i++)
        tell_expiry(cs->list.of[i]);
}

static void tell_renewed(struct certificates *cs, const struct certificate *c)
{
    char until[CLOCK_TEXT_SIZE];
    struct event_json json;

    clock_format_s(until, (uint64_t)c->not_after_s * 1000);
    log_write(LOG_INFO, "certificate renewed", "file=%s key=%s until=%s fingerprint=%s", c->file,
              certificate_kind_text(c->kind), until, c->fingerprint);
    event_json_begin(&json);
    event_json_text(&json, "file", c->file);
    event_json_open_list(&json, "names");
    for (unsigned i = 0; i < c->name_count && event_json_length(&json) < 32 * 1024; i++)
        event_json_item(&json, c->names[i]);
    event_json_close_list(&json);
    event_json_text(&json, "key", certificate_kind_text(c->kind));
    event_json_time(&json, "not_after", (uint64_t)c->not_after_s * 1000);
    event_json_text(&json, "fingerprint", c->fingerprint);
    event_json_send(&json, cs->control, EVENT_CERT_RENEWED, NULL);
}

void certificates_tell_renewed(struct certificates *cs)
{
    for (unsigned i = 0; i < cs->list.count; i++) {
        struct certificate *c = cs->list.of[i];

        if (c->renewed)
            tell_renewed(cs, c);
        c->renewed = false;
    }
    certificates_tell_expiry(cs);
}

bool certificates_status(const struct control *c, unsigned i, struct certificate_status *out)
{
    const struct certificate *one;
    bool bounded;

    if (!c->certificates || i >= c->certificates->list.count)
        return false;
    one = c->certificates->list.of[i];
    bounded = one->ocsp && one->ocsp_until_s != INT64_MAX;
    *out = (struct certificate_status){
        .file = one->file,
        .key = certificate_kind_text(one->kind),
        .fingerprint = one->fingerprint,
        .names = (const char *const *)one->names,
        .name_count = one->name_count,
        .not_before_ms = (uint64_t)one->not_before_s * 1000,
        .not_after_ms = (uint64_t)one->not_after_s * 1000,
        .days_left = certificate_days_left(one),
        .stapled = one->ocsp && one->ocsp_until_s > (int64_t)(clock_wall_ms() / 1000),
        .stapled_until_ms = bounded ? (uint64_t)one->ocsp_until_s * 1000 : 0,
    };
    return true;
}
