/* cli_script.h - the command lines of script-test and script-bench.
 *
 * Thread: the main thread, before any other. Ownership: texts point into argv. */
#pragma once
#include "control/cli.h"
#include "script/examples.h"

struct script_cli {
    struct cli cli;        /* --config, --scripts */
    bool bench;            /* script-bench, else script-test */
    enum script_kind kind; /* of all files; SCRIPT_KINDS: as their folders say */
    char **files;
    int file_count; /* at least 1 */
};

/* Is this what argv asks for? */
bool cli_script_wanted(int argc, char **argv);

enum cli_result cli_script_parse(struct script_cli *out, int argc, char **argv);
