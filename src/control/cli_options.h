/* cli_options.h - reads the options of a command line, and says what is wrong with one that cannot be read.
 *
 * Thread: the main thread, before any other. Ownership: texts point into argv. */
#pragma once
#include "control/cli.h"
#include <getopt.h>

/* Whose options they are. */
struct cli_options {
    const char *program;         /* begins what is said on standard error: "tidelock" */
    const struct option *known;  /* as for getopt_long, val is the key; -h has the key 'h' */
    /* Takes one; value is NULL where it has none. */
    enum cli_result (*take)(void *arg, int key, const char *value);
};

/* Hands every option to take until one is not CLI_GO, whose result is returned. Afterwards argv[optind] is the first
 * argument that is no option. */
enum cli_result cli_options_read(const struct cli_options *o, void *arg, int argc, char **argv);
