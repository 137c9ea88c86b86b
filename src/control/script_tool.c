#include "control/script_tool.h"

#include "base/clock.h"
#include "base/log.h"
#include "control/cli_script.h"
#include "control/control.h"
#include "control/script_file.h"
#include "control/script_report.h"
#include "control/startup.h"
#include "script/bundle.h"
#include "script/hook.h"
#include "script/script_bench.h"
#include "script/vm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { BENCH_CALLS = 5000, BENCH_MS = 1500, BENCH_ROUNDS = 1000 };

/* What all files together came to. */
struct totals {
    unsigned passed, failed;
};

/* One file under examination. */
struct run {
    const struct script_cli *cli;
    struct script_file file;
    struct control control;
    struct totals *totals;
    bool open; /* the control is */
};

/* Settings of a control that serves nobody. */
static void make_bare(struct settings *s)
{
    s->http_count = s->https_count = 0;
    s->workers = 1;
    s->health_checks = s->scripts_watch = false;
    s->rollback_failures = 0;
}

/* Does the script load? */
static bool try_script(struct run *r, struct error *err)
{
    const struct bundle *bundle = r->file.bundle;
    struct vm *vm;

    if (r->file.kind == SCRIPT_POLICY)
        return hook_check(bundle, r->control.settings->script_load_ms, err);
    vm = vm_new(&r->control, bundle, err);
    vm_free(vm);
    return vm != NULL;
}

static bool load(struct run *r)
{
    struct control *c = &r->control;
    struct error err;

    make_bare(c->settings);
    list_init(&c->pendings);
    if (!try_script(r, &err)) {
        script_file_say(&r->file, c->settings, err.text);
        return false;
    }
    if (r->file.kind != SCRIPT_COMMANDS && r->file.kind != SCRIPT_HOOK)
        return true;
    c->bundle = bundle_ref(r->file.bundle);
    r->open = true;
    return control_open(c);
}

static bool run_examples(struct run *r, struct examples *e, unsigned count)
{
    struct example_result result;
    bool ok = true;

    for (unsigned i = 1; i <= count; i++) {
        bool passed = examples_run(e, i, &result);

        script_report_example(r->file.shown, passed, &result, r->cli->bench);
        r->totals->passed += passed;
        r->totals->failed += !passed;
        ok = ok && passed;
    }
    return ok;
}

/* Runs all of them so often that there is something to tell. */
static void measure(struct examples *e, unsigned count, struct script_bench *bench)
{
    uint64_t end_ms = clock_ms() + BENCH_MS;
    struct example_result result;

    examples_measure(e, bench);
    for (int round = 0; round < BENCH_ROUNDS && clock_ms() < end_ms && script_bench_calls(bench) < BENCH_CALLS;
         round++)
        for (unsigned i = 1; i <= count; i++)
            (void)examples_run(e, i, &result);
    script_bench_memory(bench, true);
    for (unsigned i = 1; i <= count; i++)
        (void)examples_run(e, i, &result);
    examples_measure(e, NULL);
}

static void bench(struct examples *e, unsigned count)
{
    struct script_bench *b = script_bench_new();

    measure(e, count, b);
    script_report_bench(e, b);
    script_bench_free(b);
}

static bool examine(struct run *r)
{
    struct examples_of of = {
        .kind = r->file.kind,
        .control = &r->control,
        .bundle = r->file.bundle,
        .path = r->file.path,
        .shown = r->file.shown,
        .text = r->file.text,
        .is_spec = r->file.is_spec,
    };
    struct examples *e;
    struct error err;
    unsigned count;
    bool ok;

    if (!load(r))
        return false;
    e = examples_new(&of, &count, &err);
    if (!e) {
        script_file_say(&r->file, r->control.settings, err.text);
        return false;
    }
    script_report_file(r->file.shown);
    ok = run_examples(r, e, count);
    if (ok && r->cli->bench)
        bench(e, count);
    examples_free(e);
    return ok;
}

static bool run_file(const struct script_cli *cli, const char *name, struct totals *totals)
{
    struct run r = {.cli = cli, .control = {.cli = &cli->cli}, .totals = totals};
    bool ok = script_file_read(&r.file, cli, name, &r.control.settings) && examine(&r);

    if (r.open)
        control_close(&r.control);
    script_file_fini(&r.file);
    settings_unref(r.control.settings);
    return ok;
}

int script_tool_run(const struct script_cli *cli)
{
    struct totals totals = {0};
    bool ok = true;

    check_own_thread(CHECK_CONTROL);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR); /* a log that may grow no further is no reason to end */
    log_set_level(LOG_NONE);
    if (log_open() != 0)
        return EXIT_CODE_FAILED;
    script_report_prints();
    for (int i = 0; i < cli->file_count; i++)
        ok = run_file(cli, cli->files[i], &totals) && ok;
    script_report_totals(totals.passed, totals.failed);
    log_close();
    return ok ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}
