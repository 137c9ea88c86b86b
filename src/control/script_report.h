/* script_report.h - what script-test and script-bench print.
 *
 * Thread: control. */
#pragma once
#include <stdbool.h>

struct example_result;
struct examples;
struct script_bench;

/* What scripts print goes to standard output from now on. */
void script_report_prints(void);

/* A file's examples follow. */
void script_report_file(const char *file);

/* One example; only_failures: one that passed is no news. */
void script_report_example(const char *file, bool passed, const struct example_result *result, bool only_failures);

/* The table of what the script's functions cost. */
void script_report_bench(struct examples *e, struct script_bench *bench);

void script_report_totals(unsigned passed, unsigned failed);
