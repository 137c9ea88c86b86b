#include "control/contain_files.h"

#include "base/file_error.h"
#include "base/log.h"
#include "control/cli.h"
#include "control/control.h"
#include "script/bundle.h"
#include "tls/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef void each_fn(void *arg, const char *path, enum contained_kind kind);

/* What c-ares, OpenSSL and libc read again. The system's settings in /etc are replaced by renaming, so that a rule for a
 * file would not hold for the next one: all of /etc that this user may read. */
static const char *const system_paths[] = {
    "/etc",
    "/run/systemd/resolve",     /* where resolv.conf may lead */
    "/run/NetworkManager",
    "/run/resolvconf",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/lib/ssl",
    "/dev/urandom",
    "/dev/null",
    "/sys/devices/system/cpu", /* how many there are, for malloc */
    "/proc/self",
};

static void each_system(each_fn *fn, void *arg)
{
    const char *store[2];

    for (size_t i = 0; i < sizeof(system_paths) / sizeof(*system_paths); i++)
        fn(arg, system_paths[i], CONTAINED_SYSTEM);
    tls_files_store(store);
    for (int i = 0; i < 2; i++)
        fn(arg, store[i], CONTAINED_SYSTEM);
}

static void file(each_fn *fn, void *arg, const char *path)
{
    if (path)
        fn(arg, path, CONTAINED_FILE);
}

static void each_certificate(const struct settings *s, each_fn *fn, void *arg)
{
    for (unsigned i = 0; i < s->tls.pair_count; i++) {
        file(fn, arg, s->tls.pairs[i].certificate);
        file(fn, arg, s->tls.pairs[i].key);
        file(fn, arg, s->tls.pairs[i].ocsp);
    }
    file(fn, arg, s->tls.client_ca);
    for (unsigned i = 0; i < s->tls_authority_count; i++)
        file(fn, arg, s->tls_authorities[i].file);
    for (unsigned i = 0; i < s->tls_certificate_count; i++) {
        file(fn, arg, s->tls_certificates[i].certificate);
        file(fn, arg, s->tls_certificates[i].key);
    }
    file(fn, arg, s->registry_certificate);
    file(fn, arg, s->registry_key);
    file(fn, arg, s->registry_client_ca);
}

void contain_files_each(const struct control *c, each_fn *fn, void *arg)
{
    const struct settings *s = c->settings;

    file(fn, arg, c->cli->config_path);
    fn(arg, s->scripts_dir, CONTAINED_DIRECTORY);
    if (s->acme_directory)
        fn(arg, s->acme_directory, CONTAINED_DIRECTORY);
    each_certificate(s, fn, arg);
    if (s->access_format != ACCESS_OFF && strcmp(s->access_file, "-") != 0)
        fn(arg, s->access_file, CONTAINED_LOG);
    each_system(fn, arg);
}

static void try_one(void *arg, const char *path, enum contained_kind kind)
{
    static const int flags[] = {
        [CONTAINED_FILE] = O_RDONLY,
        [CONTAINED_DIRECTORY] = O_RDONLY | O_DIRECTORY,
        [CONTAINED_LOG] = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK,
    };
    char why[FILE_ERROR_SIZE];
    int fd;

    (void)arg;
    if (kind == CONTAINED_SYSTEM)
        return; /* not all of it is everywhere */
    fd = open(path, flags[kind] | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd >= 0) {
        close(fd);
        return;
    }
    log_write(LOG_WARN,
              kind == CONTAINED_LOG ? "cannot be opened anew, as USR1 asks for" : "cannot be read again, as HUP asks for",
              "file=\"%s\" reason=\"%s\"", path, file_error(path, errno, why));
}

void contain_files_try(const struct control *c)
{
    struct error err;
    struct bundle *bundle = bundle_read(c->settings->scripts_dir, &err);

    contain_files_each(c, try_one, NULL);
    if (!bundle)
        log_write(LOG_WARN, "scripts cannot be read again", "directory=\"%s\" reason=\"%s\"", c->settings->scripts_dir,
                  err.text);
    bundle_unref(bundle);
}
