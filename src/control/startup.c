#include "control/startup.h"

#include "base/heap.h"
#include "base/need.h"
#include "control/cli.h"
#include "config/settings.h"
#include "control/config_set.h"
#include "script/settings_load.h"
#include "tls/registry_context.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, TABLE_MOST = 256 * 1024, DEFER_S = 1 };

static const char system_scripts[] = "/usr/share/tidelock/scripts";

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A path from the directory that has the program, when it leads to a directory; for free. */
static char *beside_program(const char *relative)
{
    char program[PATH_SIZE];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
    char *slash, *path;

    if (len <= 0)
        return NULL;
    program[len] = '\0';
    slash = strrchr(program, '/');
    CHECK(slash);
    *slash = '\0';
    path = need_printf("%s/%s", program, relative);
    if (is_directory(path))
        return path;
    free(path);
    return NULL;
}

/* DIR/../scripts as in the source's tree, DIR/../share/tidelock/scripts as installed, where DIR/ has the program; else the
 * system's. */
static char *default_scripts(void)
{
    char *path = beside_program("../scripts");

    if (!path)
        path = beside_program("../share/tidelock/scripts");
    if (!path)
        path = need_text(system_scripts);
    return path;
}

/* Fills in where the scripts are; false with *problems when there is no such directory. */
static bool find_scripts(struct settings *settings, char **problems)
{
    bool given = settings->scripts_dir != NULL;

    if (!given)
        settings->scripts_dir = default_scripts();
    if (is_directory(settings->scripts_dir))
        return true;
    *problems = need_printf(given ? "scripts: there is no directory %s; name the one that has "
                           "commands/ and hooks/"
                         : "scripts: there is no scripts directory beside the program's "
                           "and no %s; name one with --scripts DIR",
                   settings->scripts_dir);
    return false;
}

struct settings *startup_settings(const struct cli *cli, struct config_set **routes,
                                  char **problems)
{
    struct settings *settings = settings_load(cli->config_path, routes, problems);

    if (!settings)
        return NULL;
    cli_override(cli, settings);
    if (find_scripts(settings, problems))
        return settings;
    config_set_free(*routes);
    *routes = NULL;
    settings_unref(settings);
    return NULL;
}

struct tls_registry *startup_registry_tls(const struct settings *settings, struct error *err)
{
    struct tls_registry_files files = {
        .certificate = settings->registry_certificate,
        .key = settings->registry_key,
        .client_ca = settings->registry_client_ca,
    };

    return tls_registry_new(&files, settings->registry_client_certificates, err);
}

unsigned startup_worker_count(const struct settings *settings)
{
    cpu_set_t cpus;
    int count;

    if (settings->workers)
        return (unsigned)settings->workers;
    if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
        return 1; /* more than 1024 processors: better named */
    count = CPU_COUNT(&cpus);
    return count < CLI_WORKERS_MAX ? (unsigned)count : CLI_WORKERS_MAX;
}

void startup_say_listen(const char *what, const char *option, const struct address *at, int error)
{
    char text[ADDRESS_TEXT_SIZE];
    const char *mend = "choose another";

    address_format(at, text);
    switch (error) {
    case -EADDRINUSE:
        mend = "stop what listens there or choose another";
        break;
    case -EACCES:
        mend = "ports below 1024 need a privilege; choose another";
        break;
    case -EADDRNOTAVAIL:
        mend = "this machine does not have it; choose another";
        break;
    case -EMFILE:
    case -ENFILE:
        mend = "raise the limit of open files";
        break;
    }
    fprintf(stderr, "tidelock: cannot listen on %s for %s: %s; %s with --%s ADDR or in the file\n",
            text, what, strerror(-error), mend, option);
}

static void set_port(struct address *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET6)
        a->v6.sin6_port = htons(port);
    else
        a->v4.sin_port = htons(port);
}

/* SO_REUSEPORT would let a second proxy of the same user share our port unnoticed. */
static int check_unused(const struct address *at)
{
    int fd;

    if (address_port(at) == 0)
        return 0;
    fd = sock_listen(at, false);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

/* One address for all workers. 0 or -errno. */
static int listen_address(struct startup_listeners *l, unsigned i, struct address at, bool defer)
{
    int error = check_unused(&at);

    for (size_t slot = i; error == 0 && slot < l->count; slot += l->per_worker) {
        int fd = sock_listen(&at, true);

        if (fd < 0)
            return fd;
        l->fds[slot] = fd;
        if (defer)
            sock_defer_accept(fd, DEFER_S);
        if (slot != i)
            continue;
        error = sock_local_address(fd, &l->real[i]);
        set_port(&at, address_port(&l->real[i]));
    }
    return error;
}

bool startup_listen(const struct settings *settings, unsigned workers,
                    struct startup_listeners *out)
{
    out->plain = settings->http_count;
    out->per_worker = settings->http_count + settings->https_count;
    out->count = (size_t)workers * out->per_worker;
    out->fds = need((out->count + 1) * sizeof(*out->fds));
    out->real = need_zeroed(out->per_worker + 1, sizeof(*out->real));
    for (size_t i = 0; i < out->count; i++)
        out->fds[i] = -1;
    for (unsigned i = 0; i < out->per_worker; i++) {
        bool plain = i < out->plain;
        const struct address *at = plain ? &settings->http[i] : &settings->https[i - out->plain];
        bool defer = plain && settings->defer_accept; /* a handshake costs too much to gain by it, and a stop would lose those that wait */
        int error = listen_address(out, i, *at, defer);

        if (error) {
            startup_say_listen(plain ? "HTTP" : "HTTPS", plain ? "http" : "https", at, error);
            startup_free_listeners(out);
            return false;
        }
    }
    return true;
}

void startup_take_listeners(struct startup_listeners *l, unsigned worker, int *out)
{
    for (unsigned i = 0; i < l->per_worker; i++) {
        out[i] = l->fds[worker * l->per_worker + i];
        l->fds[worker * l->per_worker + i] = -1;
    }
}

void startup_free_listeners(struct startup_listeners *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->fds[i] >= 0)
            close(l->fds[i]);
    }
    free(l->fds);
    free(l->real);
    *l = (struct startup_listeners){0};
}

void startup_say_script(const struct settings *settings, const struct error *err)
{
    fprintf(stderr, "tidelock: %s/%s\n", settings->scripts_dir, err->text);
}

/* Once there are threads, the kernel makes its table of descriptors larger (by doubling it) only after all processors have let go of the
 * old one (expand_fdtable in fs/file.c waits for RCU): 10 to 100 ms in which no worker gets a descriptor, at each doubling, just when
 * connections come in masses. Now it costs nothing, and the table never shrinks. 8 bytes a descriptor. */
static void make_table(uint64_t descriptors)
{
    uint64_t last = (descriptors < TABLE_MOST ? descriptors : TABLE_MOST) - 1;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (last > (uint64_t)fd && fcntl((int)last, F_GETFD) < 0 && dup3(fd, (int)last, O_CLOEXEC) >= 0)
        close((int)last);
    close(fd);
}

void startup_raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        if (limit.rlim_cur < limit.rlim_max) {
            limit.rlim_cur = limit.rlim_max;
            (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
        make_table(limit.rlim_cur);
    }
    heap_init();
}
