/* The configuration file: one that is taken has settings within their ranges, and is taken again with the same result; one that is refused
 * is refused in whole lines, each of which names its place. */
#include "config/settings.h"
#include "control/config_set.h"
#include "script/settings_load.h"
#include "spec/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct settings *load(struct slice text, struct config_set **routes, char **problems)
{
    char path[40];
    int fd = memfd_create("settings", MFD_CLOEXEC);
    struct settings *settings;

    CHECK(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    settings = settings_load(path, routes, problems);
    close(fd);
    return settings;
}

static void check_problems(const char *problems)
{
    CHECK(problems && problems[0]);
    CHECK(strncmp(problems, "/proc/self/fd/", 14) == 0);
}

void fuzz_config(struct slice input)
{
    struct config_set *routes = NULL, *again_routes = NULL;
    char *problems = NULL, *again_problems = NULL;
    struct settings *settings, *again;

    check_own_thread(CHECK_CONTROL);
    settings = load(input, &routes, &problems);
    again = load(input, &again_routes, &again_problems);
    CHECK(!settings == !again);
    if (!settings) {
        check_problems(problems);
        CHECK(strcmp(problems, again_problems) == 0);
    } else {
        CHECK(settings->connect_timeout_ms == again->connect_timeout_ms && settings->workers == again->workers);
        CHECK(settings->http_count == again->http_count && settings->max_body_size == again->max_body_size);
        CHECK(settings->retries == again->retries);
    }
    free(problems);
    free(again_problems);
    config_set_free(routes);
    config_set_free(again_routes);
    settings_unref(settings);
    settings_unref(again);
}
