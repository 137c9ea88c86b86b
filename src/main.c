#include "control/cli.h"
#include "control/control.h"

int main(int argc, char **argv)
{
    struct cli cli;

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
