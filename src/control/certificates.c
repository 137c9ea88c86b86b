#include "control/certificates.h"

#include "base/log.h"
#include "base/need.h"
#include "control/certificates_state.h"
#include "control/control.h"
#include "control/file_watch.h"
#include "control/publish.h"
#include "tls/server_context.h"
#include "tls/tickets.h"

#include <stdlib.h>

enum { DAY_S = 24 * 3600, WARN_DAYS = 30 };

/* The context of settings; NULL with an empty err: they have no certificates. */
static struct server_context *make(const struct control *c, const struct settings *settings,
                                   const struct certificate_list *list, struct error *err)
{
    struct server_parts parts = {
        .config = &settings->tls,
        .certificates = list->of,
        .count = list->count,
        .client_ca = slice_of(list->client_ca, list->client_ca_len),
        .tickets = c->certificates->tickets,
    };

    err->text[0] = '\0';
    if (settings->redirect_https != REDIRECT_OFF && !settings->https_count)
        error_set(err, "redirect_https needs https, or --https");
    else if (list->count)
        return server_context_new(&parts, err);
    else if (settings->https_count)
        error_set(err, "--https needs tls.certificates in the configuration file");
    return NULL;
}

/* Notes which of them are new in their place, so that it is told once workers serve them. */
static void note_renewed(struct certificates *cs, const struct certificate_list *list)
{
    for (unsigned i = 0; i < list->count; i++) {
        struct certificate *new = list->of[i];

        for (unsigned n = 0; n < cs->list.count; n++)
            if (!strcmp(cs->list.of[n]->file, new->file) &&
                strcmp(cs->list.of[n]->fingerprint, new->fingerprint) != 0)
                new->renewed = true;
    }
}

static void put_in_service(struct control *c, struct certificate_list *list, struct server_context *tls)
{
    note_renewed(c->certificates, list);
    certificate_list_free(&c->certificates->list);
    c->certificates->list = *list;
    server_context_unref(c->tls);
    c->tls = tls;
}

/* Loads and puts in service; false: err, nothing changed. */
static bool renew(struct control *c, const struct settings *settings, struct error *err)
{
    struct certificate_list list = {0};
    struct server_context *tls;

    if (!certificate_list_load(c, &settings->tls, &list, err))
        return false;
    tls = make(c, settings, &list, err);
    if (err->text[0]) {
        certificate_list_free(&list);
        return false;
    }
    put_in_service(c, &list, tls);
    return true;
}

/* ---- files that change */

static void watch_files(struct certificates *cs)
{
    const struct tls_config *config = &cs->control->settings->tls;
    const char **paths = need_zeroed(3 * config->pair_count + 1, sizeof(*paths));
    unsigned count = 0;

    for (unsigned i = 0; i < config->pair_count; i++) {
        paths[count++] = config->pairs[i].certificate;
        paths[count++] = config->pairs[i].key;
        paths[count++] = config->pairs[i].ocsp;
    }
    paths[count++] = config->client_ca;
    file_watch_set(cs->watch, paths, count);
    free(paths);
}

static void on_published(void *arg)
{
    certificates_tell_renewed(arg);
}

/* Something happened to the files: reads them again, and takes what is new into service. */
static void on_files(void *arg)
{
    struct certificates *cs = arg;
    struct control *c = cs->control;
    struct certificate_list list = {0};
    struct server_context *tls;
    struct error err;

    if (c->stopping)
        return;
    CHECK(certificate_list_load(c, &c->settings->tls, &list, &err)); /* each has one before */
    if (certificate_list_same(&cs->list, &list)) {
        certificate_list_free(&list);
        return;
    }
    tls = make(c, c->settings, &list, &err);
    if (!tls) {
        log_write(LOG_ERROR, "certificates refused, nothing changed", "reason=\"%s\"", err.text);
        certificate_list_free(&list);
        return;
    }
    put_in_service(c, &list, tls);
    publish(c, on_published, cs);
}

/* ---- tickets */

/* A configuration that is read again puts no rotation off. */
static void arm_rotation(struct certificates *cs)
{
    double after_s = (double)cs->control->settings->tls.ticket_rotation_ms / 1e3;

    if (ev_is_pending(&cs->rotation))
        return;
    if (ev_is_active(&cs->rotation) && ev_timer_remaining(cs->control->loop, &cs->rotation) <= after_s)
        return;
    ev_timer_stop(cs->control->loop, &cs->rotation);
    ev_timer_set(&cs->rotation, after_s, 0);
    ev_timer_start(cs->control->loop, &cs->rotation);
}

static void on_rotation(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct certificates *cs = timer->data;
    struct control *c = cs->control;
    struct tickets *next = tickets_rotate(cs->tickets);
    struct server_context *tls;
    struct error err;

    (void)loop;
    (void)revents;
    tickets_unref(cs->tickets);
    cs->tickets = next;
    arm_rotation(cs);
    tls = make(c, c->settings, &cs->list, &err);
    if (!tls) {
        if (err.text[0])
            log_write(LOG_ERROR, "session tickets keep their key", "reason=\"%s\"", err.text);
        return;
    }
    server_context_unref(c->tls);
    c->tls = tls;
    publish(c, NULL, NULL);
    log_write(LOG_DEBUG, "session tickets have a new key", "keys=%d", TICKET_KEYS);
}

static void on_daily(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    certificates_tell_expiry(timer->data);
}

/* ---- start and end */

static struct certificates *certificates_new(struct control *c)
{
    struct certificates *cs = need_zeroed(1, sizeof(*cs));

    cs->control = c;
    cs->tickets = tickets_rotate(NULL);
    ev_timer_init(&cs->rotation, on_rotation, 0, 0);
    ev_timer_init(&cs->daily, on_daily, DAY_S, DAY_S);
    cs->rotation.data = cs->daily.data = cs;
    return cs;
}

bool certificates_start(struct control *c)
{
    struct error err;

    ASSERT_CONTROL();
    c->certificates = certificates_new(c);
    if (!renew(c, c->settings, &err)) {
        fprintf(stderr, "tidelock: %s\n", err.text);
        return false;
    }
    certificates_tell_expiry(c->certificates);
    c->certificates->watch = file_watch_start(c->loop, on_files, c->certificates);
    watch_files(c->certificates);
    arm_rotation(c->certificates);
    ev_timer_start(c->loop, &c->certificates->daily);
    return true;
}

bool certificates_follow(struct control *c, const struct settings *settings)
{
    struct error err;

    ASSERT_CONTROL();
    if (renew(c, settings, &err))
        return true;
    log_write(LOG_ERROR, "configuration refused, nothing changed", "reason=\"%s\"", err.text);
    return false;
}

void certificates_watch(struct control *c)
{
    watch_files(c->certificates);
    arm_rotation(c->certificates);
}

void certificates_published(struct control *c)
{
    certificates_tell_renewed(c->certificates);
}

/* --check speaks to a terminal. */
static void say_expiry(const struct certificate_list *list)
{
    printf("certificates ok: %u\n", list->count);
    for (unsigned i = 0; i < list->count; i++) {
        int days = certificate_days_left(list->of[i]);

        if (days < 0)
            fprintf(stderr, "tidelock: warning: %s: has expired\n", list->of[i]->file);
        else if (days < WARN_DAYS)
            fprintf(stderr, "tidelock: warning: %s: expires in %d days\n", list->of[i]->file, days);
    }
}

bool certificates_check(const struct cli *cli, const struct settings *settings)
{
    struct control c = {.cli = cli, .settings = (struct settings *)settings};
    struct error err;
    bool ok;

    c.certificates = certificates_new(&c);
    ok = renew(&c, settings, &err);
    if (!ok)
        fprintf(stderr, "tidelock: %s\n", err.text);
    else if (c.certificates->list.count)
        say_expiry(&c.certificates->list);
    certificates_stop(&c);
    return ok;
}

void certificates_stop(struct control *c)
{
    struct certificates *cs = c->certificates;

    if (!cs)
        return;
    if (c->loop) {
        ev_timer_stop(c->loop, &cs->rotation);
        ev_timer_stop(c->loop, &cs->daily);
    }
    file_watch_stop(&cs->watch);
    certificate_list_free(&cs->list);
    tickets_unref(cs->tickets);
    server_context_unref(c->tls);
    free(cs);
    c->certificates = NULL;
    c->tls = NULL;
}
