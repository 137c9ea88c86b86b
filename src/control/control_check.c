/* --check: configuration and scripts are read and tried, nothing is served. */
#include "config/page.h"
#include "control/certificates.h"
#include "control/cli.h"
#include "control/config_set.h"
#include "control/contain.h"
#include "control/control.h"
#include "control/pages.h"
#include "control/startup.h"
#include "script/bundle.h"
#include "script/hook.h"
#include "script/vm.h"

#include <stdio.h>
#include <stdlib.h>

/* Everything that a reload does with scripts but to put them in service. */
static bool check_scripts(struct control *c)
{
    struct page_book *pages = NULL;
    struct error err;
    struct bundle *bundle = bundle_read(c->settings->scripts_dir, &err);
    struct vm *vm =
        bundle && hook_check(bundle, c->settings->script_load_ms, &err) ? vm_new(c, bundle, &err) : NULL;

    if (vm)
        pages = pages_make(vm, &err);
    if (pages)
        printf("scripts ok: %s\n", c->settings->scripts_dir);
    else
        startup_say_script(c->settings, &err);
    page_book_unref(pages);
    vm_free(vm);
    bundle_unref(bundle);
    return pages != NULL;
}

int control_check(const struct cli *cli)
{
    struct control c = {.cli = cli};
    struct config_set *routes = NULL;
    char *problems = NULL;
    struct error err;
    bool ok;

    check_own_thread(CHECK_CONTROL);
    c.settings = startup_settings(cli, &routes, &problems);
    if (!c.settings) {
        fprintf(stderr, "%s\n", problems);
        free(problems);
        return EXIT_CODE_FAILED;
    }
    ok = contain_check(c.settings, &err);
    if (!ok)
        fprintf(stderr, "%s: %s\n", cli->config_path, err.text);
    ok &= certificates_check(cli, c.settings);
    if (ok)
        printf("configuration ok: %s\n", cli->config_path ? cli->config_path : "defaults");
    ok &= check_scripts(&c);
    config_set_free(routes);
    settings_unref(c.settings);
    return ok ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}
