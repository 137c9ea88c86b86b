/* cli.h - the command line: what it says, and what it says about itself.
 *
 * Thread: the main thread, before any other. Ownership: texts point into argv. */
#pragma once
#include "base/sock.h"
#include <stdbool.h>

struct settings;

enum { CLI_HTTP_MAX = 16, CLI_WORKERS_MAX = 256 };

/* Exit codes of the program. */
enum exit_code {
    EXIT_CODE_OK = 0,     /* stopped as told; --check found nothing; --help, --version */
    EXIT_CODE_FAILED = 1, /* could not start; --check found something */
    EXIT_CODE_USAGE = 2   /* the command line is wrong */
};

struct cli {
    const char *config_path;           /* NULL: no file, defaults */
    struct address http[CLI_HTTP_MAX]; /* in the place of the file's */
    unsigned http_count;               /* 0: not given */
    struct address https[CLI_HTTP_MAX];
    unsigned https_count;
    struct address registry;
    bool registry_set;
    unsigned workers; /* 0: one per core */
    bool workers_set;
    const char *scripts_dir; /* NULL: not given */
    const char *log_level;   /* NULL: not given */
    bool check;              /* check configuration and scripts, do not serve */
};

enum cli_result {
    CLI_GO,   /* *out is filled */
    CLI_DONE, /* --help or --version was answered */
    CLI_WRONG /* said on standard error what is wrong */
};

enum cli_result cli_parse(struct cli *out, int argc, char **argv);

/* Puts what the command line says in the place of what the file says. */
void cli_override(const struct cli *cli, struct settings *settings);
