#include "control/cli.h"

#include "base/log.h"
#include "base/need.h"
#include "config/settings.h"
#include "control/ares_loop.h"
#include "control/cli_options.h"
#include "script/engine.h"
#include "tls/client_context.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "tidelock - a reverse proxy that services steer themselves\n"
    "\n"
    "Usage: tidelock [OPTION]...\n"
    "       tidelock script-test [OPTION]... FILE...    run the examples of scripts, without a proxy\n"
    "       tidelock script-bench [OPTION]... FILE...   say what their calls cost\n"
    "\n"
    "Services connect to the registry, stage routes and settings and apply them; HTTP clients\n"
    "are forwarded accordingly. What an option says wins over the configuration file.\n"
    "\n"
    "Options:\n"
    "  --config FILE      configuration file (Lua used as data); without it every setting has its\n"
    "                     default\n"
    "  --http ADDR        where HTTP clients connect; may be given up to 16 times (default :8080)\n"
    "  --https ADDR       where HTTPS clients connect, with tls.certificates of the configuration file;\n"
    "                     may be given up to 16 times\n"
    "  --registry ADDR    where services connect (default 127.0.0.1:8181)\n"
    "  --workers N        worker threads, 0 to 256; 0 makes one for each core (default 0)\n"
    "  --scripts DIR      the scripts that define the registry's commands (default: ../scripts or\n"
    "                     ../share/tidelock/scripts seen from the program, else\n"
    "                     /usr/share/tidelock/scripts)\n"
    "  --log-level LEVEL  error, warn, info or debug (default info)\n"
    "  --check            read the configuration and the scripts, say what is wrong with them and\n"
    "                     how to mend it, and exit\n"
    "  --version          print the version of the program and its libraries, and exit\n"
    "  --help             print this, and exit\n"
    "\n"
    "ADDR is 127.0.0.1:8080, [::1]:8080 or :8080 (every address). Port 0 takes a free one; each\n"
    "listener's real address is printed at start: \"listening http 127.0.0.1:43121\".\n"
    "\n"
    "Signals:\n"
    "  TERM, INT   stop: tell services, accept nothing, let requests in flight end, exit;\n"
    "              a second one stops at once\n"
    "  HUP         read the configuration file again; a bad one changes nothing\n"
    "  USR1        open the access log anew, after it was moved away\n"
    "\n"
    "Exit status:\n"
    "  0  stopped by a signal; --check found nothing wrong\n"
    "  1  could not start; --check found something\n"
    "  2  the command line is wrong\n"
    "\n"
    "script-test and script-bench have options of their own: tidelock script-test --help\n"
    "\n"
    "Example:\n"
    "  tidelock --http 127.0.0.1:8080 --registry 127.0.0.1:8181 --workers 2\n"
    "  printf 'REGISTER|shop|shop-1|0|\\n' | nc -q1 127.0.0.1 8181\n";

enum option_key {
    KEY_CONFIG = 1,
    KEY_HTTP,
    KEY_HTTPS,
    KEY_REGISTRY,
    KEY_WORKERS,
    KEY_SCRIPTS,
    KEY_LOG_LEVEL,
    KEY_CHECK,
    KEY_VERSION,
    KEY_HELP = 'h'
};

static const struct option options[] = {
    {"config", required_argument, NULL, KEY_CONFIG},
    {"http", required_argument, NULL, KEY_HTTP},
    {"https", required_argument, NULL, KEY_HTTPS},
    {"registry", required_argument, NULL, KEY_REGISTRY},
    {"workers", required_argument, NULL, KEY_WORKERS},
    {"scripts", required_argument, NULL, KEY_SCRIPTS},
    {"log-level", required_argument, NULL, KEY_LOG_LEVEL},
    {"check", no_argument, NULL, KEY_CHECK},
    {"version", no_argument, NULL, KEY_VERSION},
    {"help", no_argument, NULL, KEY_HELP},
    {NULL, 0, NULL, 0},
};

static enum cli_result print_version(void)
{
    printf("tidelock %s\n%s\n%s\nlibev %d.%d\nc-ares %s\n", TIDELOCK_VERSION, engine_version(),
           tls_version(), ev_version_major(), ev_version_minor(), ares_loop_version());
    return CLI_DONE;
}

/* Says "tidelock: --option: ..." */
static enum cli_result wrong(const char *option, const char *what)
{
    fprintf(stderr, "tidelock: --%s: %s\n", option, what);
    return CLI_WRONG;
}

static enum cli_result bad_address(const char *option, const char *value)
{
    fprintf(
        stderr,
        "tidelock: --%s: takes an address like 127.0.0.1:8080, :8080 or [::1]:8080, not \"%s\"\n",
        option, value);
    return CLI_WRONG;
}

/* One more address of a list. */
static enum cli_result take_listener(const char *option, const char *value, struct address list[CLI_HTTP_MAX],
                                     unsigned *count)
{
    if (*count == CLI_HTTP_MAX)
        return wrong(option, "may be given at most 16 times");
    if (address_parse(slice_str(value), &list[*count]) < 0)
        return bad_address(option, value);
    (*count)++;
    return CLI_GO;
}

static enum cli_result take_registry(struct cli *out, const char *value)
{
    if (address_parse(slice_str(value), &out->registry) < 0)
        return bad_address("registry", value);
    out->registry_set = true;
    return CLI_GO;
}

static enum cli_result take_workers(struct cli *out, const char *value)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    if (*value < '0' || *value > '9' || *end || n > CLI_WORKERS_MAX) {
        fprintf(stderr, "tidelock: --workers: takes a number from 0 to %d, not \"%s\"\n",
                CLI_WORKERS_MAX, value);
        return CLI_WRONG;
    }
    out->workers = (unsigned)n;
    out->workers_set = true;
    return CLI_GO;
}

static enum cli_result take_log_level(struct cli *out, const char *value)
{
    enum log_level level;

    if (!log_level_parse(slice_str(value), &level)) {
        fprintf(stderr, "tidelock: --log-level: takes error, warn, info or debug, not \"%s\"\n",
                value);
        return CLI_WRONG;
    }
    out->log_level = value;
    return CLI_GO;
}

static enum cli_result take_option(void *arg, int key, const char *value)
{
    struct cli *out = arg;

    switch ((enum option_key)key) {
    case KEY_CONFIG:
        out->config_path = value;
        return *value ? CLI_GO : wrong("config", "takes the name of a file");
    case KEY_HTTP:
        return take_listener("http", value, out->http, &out->http_count);
    case KEY_HTTPS:
        return take_listener("https", value, out->https, &out->https_count);
    case KEY_REGISTRY:
        return take_registry(out, value);
    case KEY_WORKERS:
        return take_workers(out, value);
    case KEY_SCRIPTS:
        out->scripts_dir = value;
        return *value ? CLI_GO : wrong("scripts", "takes the name of a directory");
    case KEY_LOG_LEVEL:
        return take_log_level(out, value);
    case KEY_CHECK:
        out->check = true;
        return CLI_GO;
    case KEY_VERSION:
        return print_version();
    case KEY_HELP:
        fputs(help, stdout);
        return CLI_DONE;
    }
    return CLI_WRONG;
}

enum cli_result cli_parse(struct cli *out, int argc, char **argv)
{
    static const struct cli_options how = {"tidelock", options, take_option};
    enum cli_result result;

    *out = (struct cli){0};
    result = cli_options_read(&how, out, argc, argv);
    if (result == CLI_GO && optind < argc) {
        fprintf(stderr, "tidelock: unexpected argument \"%s\"\nTry: tidelock --help\n",
                argv[optind]);
        return CLI_WRONG;
    }
    return result;
}

static void replace_text(char **field, const char *text)
{
    if (!text)
        return;
    free(*field);
    *field = need_text(text);
}

static void replace_list(struct address **list, unsigned *count, const struct address *given, unsigned given_count)
{
    if (!given_count)
        return;
    free(*list);
    *list = need_zeroed(given_count, sizeof(**list));
    memcpy(*list, given, given_count * sizeof(**list));
    *count = given_count;
}

void cli_override(const struct cli *cli, struct settings *settings)
{
    replace_list(&settings->http, &settings->http_count, cli->http, cli->http_count);
    replace_list(&settings->https, &settings->https_count, cli->https, cli->https_count);
    if (cli->registry_set)
        settings->registry = cli->registry;
    if (cli->workers_set)
        settings->workers = cli->workers;
    replace_text(&settings->scripts_dir, cli->scripts_dir);
    replace_text(&settings->log_level, cli->log_level);
}
