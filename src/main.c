#include "base/fault.h"
#include "base/need.h"
#include "control/cli.h"
#include "control/cli_script.h"
#include "control/control.h"
#include "control/script_tool.h"

static int run_script_tool(int argc, char **argv)
{
    struct script_cli cli;

    switch (cli_script_parse(&cli, argc, argv)) {
    case CLI_GO:
        return script_tool_run(&cli);
    case CLI_DONE:
        return EXIT_CODE_OK;
    case CLI_WRONG:
        break;
    }
    return EXIT_CODE_USAGE;
}

static int run(int argc, char **argv)
{
    struct cli cli;

    if (cli_script_wanted(argc, argv))
        return run_script_tool(argc, argv);
    switch (cli_parse(&cli, argc, argv)) {
    case CLI_GO:
        return cli.check ? control_check(&cli) : control_run(&cli);
    case CLI_DONE:
        return EXIT_CODE_OK;
    case CLI_WRONG:
        break;
    }
    return EXIT_CODE_USAGE;
}

int main(int argc, char **argv)
{
    int code;

    fault_start();
    need_open();
    code = run(argc, argv);
    need_close();
    return code;
}
