#include "control/reload.h"

#include "base/log.h"
#include "control/certificates.h"
#include "control/cli.h"
#include "control/control.h"
#include "control/events.h"
#include "control/health.h"
#include "control/publish.h"
#include "control/resolve.h"
#include "control/startup.h"

#include <stdio.h>
#include <stdlib.h>

int reload_logs(const struct settings *settings)
{
    enum log_level level;
    int error =
        log_open_access(settings->access_format == ACCESS_OFF ? NULL : settings->access_file);

    if (error)
        return error;
    CHECK(log_level_parse(slice_str(settings->log_level), &level));
    log_set_level(level);
    return 0;
}

static void log_refused(char *problems)
{
    struct slice rest = slice_str(problems), line;

    for (char *at = problems; (at = strchr(at, '"')) != NULL;)
        *at = '\''; /* the log's own quotes go around the whole */
    while (slice_split(&rest, '\n', &line)) {
        if (line.len > 0)
            log_write(LOG_ERROR, "configuration refused, nothing changed", "reason=\"%.*s\"",
                      SLICE_ARGS(line));
    }
    free(problems);
}

static void needs_restart(const char *setting)
{
    log_write(LOG_WARN, "setting changes with a restart only", "setting=%s", setting);
}

/* Listeners stay as they were at the start. */
static void keep_listeners(const char *setting, const struct address *old, unsigned old_count, struct address **new,
                           unsigned *new_count)
{
    bool same = old_count == *new_count;

    for (unsigned i = 0; same && i < old_count; i++)
        same = address_equal(&old[i], &(*new)[i]);
    if (same)
        return;
    needs_restart(setting);
    free(*new);
    *new = calloc(old_count + 1, sizeof(**new));
    CHECK(*new);
    if (old_count)
        memcpy(*new, old, old_count * sizeof(**new));
    *new_count = old_count;
}

/* What was decided at start stays as it was, so that nobody reads a setting that is not in force.
 */
static void keep_fixed(const struct settings *old, struct settings *new)
{
    keep_listeners("http", old->http, old->http_count, &new->http, &new->http_count);
    keep_listeners("https", old->https, old->https_count, &new->https, &new->https_count);
    if (!address_equal(&old->registry, &new->registry))
        needs_restart("registry");
    new->registry = old->registry;
    if (old->workers != new->workers)
        needs_restart("workers");
    new->workers = old->workers;
    if (strcmp(old->scripts_dir, new->scripts_dir) != 0) {
        needs_restart("scripts");
        free(new->scripts_dir);
        new->scripts_dir = strdup(old->scripts_dir);
        CHECK(new->scripts_dir);
    }
    if (old->buffer_size != new->buffer_size)
        needs_restart("limits.buffer_size");
    new->buffer_size = old->buffer_size;
    if (new->head_size > new->buffer_size) {
        needs_restart("limits.head_size");
        new->head_size = new->buffer_size;
    }
}

static void on_published(void *arg)
{
    struct control *c = arg;
    char json[64];

    snprintf(json, sizeof(json), "{\"generation\":%llu}",
             (unsigned long long)publish_generation(c));
    log_write(LOG_INFO, "configuration reloaded", "generation=%llu",
              (unsigned long long)publish_generation(c));
    events_send(c, EVENT_GLOBAL_CONFIG_CHANGED, NULL, json);
    certificates_published(c);
}

/* Puts new settings in the place of those in force; false: logged why not. */
static bool take(struct control *c, struct settings *new)
{
    int error = reload_logs(new);

    if (error) {
        log_write(LOG_ERROR, "configuration refused, nothing changed",
                  "reason=\"access_log.file %s: %s\"", new->access_file, strerror(-error));
        return false;
    }
    keep_fixed(c->settings, new);
    if (!certificates_follow(c, new)) {
        error = reload_logs(c->settings);
        if (error)
            log_write(LOG_ERROR, "access log lost", "reason=\"%s\"", strerror(-error));
        return false;
    }
    settings_unref(c->settings);
    c->settings = new;
    certificates_watch(c);
    return true;
}

void reload_configuration(struct control *c)
{
    struct config_set *routes = NULL;
    char *problems = NULL;
    struct settings *new = startup_settings(c->cli, &routes, &problems);
    int error;

    ASSERT_CONTROL();
    if (!new) {
        log_refused(problems);
        return;
    }
    if (!take(c, new)) {
        config_set_free(routes);
        settings_unref(new);
        return;
    }
    error = resolve_reload(c);
    if (error)
        log_write(LOG_ERROR, "name servers stay as they were", "reason=\"%s\"", strerror(-error));
    model_set_static(&c->model, routes);
    health_sync_all(c);
    publish(c, on_published, c);
}
