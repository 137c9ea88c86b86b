#include "control/cli_script.h"

#include "control/cli_options.h"

#include <stdio.h>
#include <string.h>

static const char test_help[] =
    "tidelock script-test - runs the examples of scripts, without a proxy\n"
    "\n"
    "Usage: tidelock script-test [OPTION]... FILE...\n"
    "\n"
    "FILE is a script (policies/*.lua, health/*.lua, commands/*.lua, hooks/authorize.lua,\n"
    "maintenance/page.lua) with examples of its own under the key \"examples\", or a spec of one, with\n"
    "describe, it and assert: policies/cors_spec.lua has specs of policies/cors.lua. Each example runs\n"
    "the script through the API as it is in service, with its budget, memory and sandbox. How to\n"
    "write them: scripts/README.md, section \"Examples\".\n"
    "\n";

static const char bench_help[] =
    "tidelock script-bench - says what a call of a script costs against its budget\n"
    "\n"
    "Usage: tidelock script-bench [OPTION]... FILE...\n"
    "\n"
    "Runs the examples of FILE, which script-test has to pass, over and over, and measures every call\n"
    "of the script: median, 99th percentile and maximum of its time, the memory that it takes, and\n"
    "the share of its budget (scripts_budget in the configuration) that 99 of 100 calls stay below.\n"
    "\n";

static const char options_help[] =
    "Options:\n"
    "  --kind KIND      what FILE is, where its folder does not say so: policy, health, page, commands\n"
    "                   or hook\n"
    "  --scripts DIR    the scripts that it needs beside itself (default: those in whose folder it is,\n"
    "                   else ../scripts seen from the program, else /usr/share/tidelock/scripts)\n"
    "  --config FILE    configuration file with the budgets (default: none, all settings' defaults)\n"
    "  --help           print this, and exit\n"
    "\n"
    "Exit status:\n"
    "  0  all examples passed\n"
    "  1  one failed, or a file has none or cannot be read or loaded\n"
    "  2  the command line is wrong\n"
    "\n";

enum { KEY_KIND = 1, KEY_SCRIPTS, KEY_CONFIG, KEY_HELP = 'h' };

static const struct option options[] = {
    {"kind", required_argument, NULL, KEY_KIND},     {"scripts", required_argument, NULL, KEY_SCRIPTS},
    {"config", required_argument, NULL, KEY_CONFIG}, {"help", no_argument, NULL, KEY_HELP},
    {NULL, 0, NULL, 0},
};

static const char *tool_name(const struct script_cli *cli)
{
    return cli->bench ? "script-bench" : "script-test";
}

bool cli_script_wanted(int argc, char **argv)
{
    return argc > 1 && (strcmp(argv[1], "script-test") == 0 || strcmp(argv[1], "script-bench") == 0);
}

static enum cli_result print_help(const struct script_cli *cli)
{
    printf("%s%sExample:\n  tidelock %s scripts/policies/cors.lua\n", cli->bench ? bench_help : test_help, options_help,
           tool_name(cli));
    return CLI_DONE;
}

static enum cli_result wrong(const struct script_cli *cli, const char *argument, const char *what)
{
    fprintf(stderr, "tidelock %s: %s%s%s\nTry: tidelock %s --help\n", tool_name(cli), argument, *argument ? ": " : "",
            what, tool_name(cli));
    return CLI_WRONG;
}

static enum cli_result take_kind(struct script_cli *out, const char *value)
{
    for (unsigned i = 0; i < SCRIPT_KINDS; i++) {
        if (strcmp(script_kind_names[i], value) == 0) {
            out->kind = (enum script_kind)i;
            return CLI_GO;
        }
    }
    return wrong(out, "--kind", "takes policy, health, page, commands or hook");
}

static enum cli_result take_option(void *arg, int key, const char *value)
{
    struct script_cli *out = arg;

    switch (key) {
    case KEY_KIND:
        return take_kind(out, value);
    case KEY_SCRIPTS:
        out->cli.scripts_dir = value;
        return *value ? CLI_GO : wrong(out, "--scripts", "takes the name of a directory");
    case KEY_CONFIG:
        out->cli.config_path = value;
        return *value ? CLI_GO : wrong(out, "--config", "takes the name of a file");
    case KEY_HELP:
        return print_help(out);
    default:
        return CLI_WRONG;
    }
}

enum cli_result cli_script_parse(struct script_cli *out, int argc, char **argv)
{
    bool bench = strcmp(argv[1], "script-bench") == 0;
    struct cli_options how = {bench ? "tidelock script-bench" : "tidelock script-test", options, take_option};
    enum cli_result result;

    *out = (struct script_cli){.bench = bench, .kind = SCRIPT_KINDS};
    argc--;
    argv++;
    result = cli_options_read(&how, out, argc, argv);
    out->files = argv + optind;
    out->file_count = argc - optind;
    if (result == CLI_GO && out->file_count == 0)
        return wrong(out, "", "name the script, or a spec of it");
    return result;
}
