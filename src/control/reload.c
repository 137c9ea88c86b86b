#include "control/reload.h"

#include "base/file_error.h"
#include "base/log.h"
#include "base/need.h"
#include "control/backend_tls.h"
#include "control/certificates.h"
#include "control/compose.h"
#include "control/cli.h"
#include "control/control.h"
#include "control/events.h"
#include "control/give_back.h"
#include "control/health.h"
#include "control/publish.h"
#include "control/registry.h"
#include "control/resolve.h"
#include "control/startup.h"
#include "tls/registry_context.h"

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
    *new = need_zeroed(old_count + 1, sizeof(**new));
    if (old_count)
        memcpy(*new, old, old_count * sizeof(**new));
    *new_count = old_count;
}

static void keep_text(const char *setting, const char *old, char **new)
{
    if ((!old && !*new) || (old && *new && strcmp(old, *new) == 0))
        return;
    needs_restart(setting);
    free(*new);
    *new = old ? strdup(old) : NULL;
    CHECK(*new || !old);
}

/* What was given up cannot be had back. */
static void keep_contained(const struct settings *old, struct settings *new)
{
    bool same = old->sandbox_path_count == new->sandbox_path_count;

    keep_text("user", old->user, &new->user);
    keep_text("group", old->group, &new->group);
    if (old->sandbox != new->sandbox)
        needs_restart("sandbox");
    new->sandbox = old->sandbox;
    if (old->core_dumps != new->core_dumps)
        needs_restart("core_dumps");
    new->core_dumps = old->core_dumps;
    for (unsigned i = 0; same && i < old->sandbox_path_count; i++)
        same = slice_eq(old->sandbox_paths[i], new->sandbox_paths[i]);
    if (!same)
        needs_restart("sandbox_paths"); /* read at the start only */
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
    if (old->registry_tls_on != new->registry_tls_on || old->registry_tls_only != new->registry_tls_only ||
        (old->registry_tls_on && !address_equal(&old->registry_tls, &new->registry_tls)))
        needs_restart("registry_tls");
    new->registry_tls_on = old->registry_tls_on;
    new->registry_tls_only = old->registry_tls_only;
    new->registry_tls = old->registry_tls;
    if (old->defer_accept != new->defer_accept)
        needs_restart("defer_accept");
    new->defer_accept = old->defer_accept;
    if (old->workers != new->workers)
        needs_restart("workers");
    new->workers = old->workers;
    keep_text("scripts", old->scripts_dir, &new->scripts_dir);
    keep_contained(old, new);
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

/* What a configuration is besides its settings: what its files say, read but not in force. */
struct read_files {
    struct backend_tls *backends;
    struct tls_registry *registry; /* NULL: stays as it is */
};

static void free_files(struct read_files *files)
{
    backend_tls_free(files->backends);
    tls_registry_free(files->registry);
}

static bool read_tls(const struct control *c, struct settings *new, struct read_files *out, struct error *err)
{
    *out = (struct read_files){0};
    out->backends = backend_tls_new(new, err);
    if (!out->backends)
        return false;
    if (!c->settings->registry_tls_on || !new->registry_tls_on)
        return true;
    out->registry = startup_registry_tls(new, err);
    if (out->registry)
        return true;
    backend_tls_free(out->backends);
    return false;
}

/* True: all of it can be had, *out is the caller's. */
static bool read_files(const struct control *c, struct settings *new, struct read_files *out, struct error *err)
{
    char why[FILE_ERROR_SIZE];
    int error;

    if (!read_tls(c, new, out, err))
        return false;
    error = reload_logs(new);
    if (!error)
        return true;
    free_files(out);
    return error_set(err, "access_log.file %s: %s", new->access_file, file_error(new->access_file, -error, why));
}

/* The certificates of listeners say themselves what is wrong with them; then the logs go back to where they were. */
static bool follow(struct control *c, struct settings *new, struct read_files *files)
{
    int error;

    keep_fixed(c->settings, new);
    if (certificates_follow(c, new))
        return true;
    free_files(files);
    error = reload_logs(c->settings);
    if (error)
        log_write(LOG_ERROR, "access log lost", "reason=\"%s\"", strerror(-error));
    return false;
}

/* Puts new settings in the place of those in force; false: logged why not. */
static bool take(struct control *c, struct settings *new)
{
    struct read_files files;
    struct error err;

    if (!read_files(c, new, &files, &err)) {
        log_write(LOG_ERROR, "configuration refused, nothing changed", "reason=\"%s\"", err.text);
        return false;
    }
    if (!follow(c, new, &files))
        return false;
    backend_tls_free(c->backend_tls);
    c->backend_tls = files.backends;
    if (files.registry)
        registry_set_tls(c, files.registry);
    settings_unref(c->settings);
    c->settings = new;
    give_back_follow(c);
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
    compose_touch_all(c);
    publish(c, on_published, c);
}
