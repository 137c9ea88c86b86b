#include "control/script_report.h"

#include "script/examples.h"
#include "script/print.h"
#include "script/script_bench.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_SIZE = 24 };

static void print_text(const char *text)
{
    printf("  print   %s\n", text);
}

void script_report_prints(void)
{
    print_to(print_text);
}

void script_report_file(const char *file)
{
    printf("%s\n", file);
}

/* Every line of a text, indented. */
static void print_lines(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        printf("          %.*s\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

void script_report_example(const char *file, bool passed, const struct example_result *result, bool only_failures)
{
    if (passed && only_failures)
        return;
    printf("  %-7s %s\n", passed ? "ok" : "FAILED", result->sentence);
    if (passed)
        return;
    printf("          %s", file);
    if (result->line)
        printf(":%u", result->line);
    printf("\n");
    print_lines(result->message);
}

static const char *show_time(uint64_t ns, char out[SHOWN_SIZE])
{
    if (ns < 1000)
        snprintf(out, SHOWN_SIZE, "%u ns", (unsigned)ns);
    else if (ns < 1000000)
        snprintf(out, SHOWN_SIZE, "%.1f us", (double)ns / 1e3);
    else
        snprintf(out, SHOWN_SIZE, "%.1f ms", (double)ns / 1e6);
    return out;
}

static const char *show_bytes(size_t bytes, char out[SHOWN_SIZE])
{
    if (bytes < 1024)
        snprintf(out, SHOWN_SIZE, "%zu B", bytes);
    else
        snprintf(out, SHOWN_SIZE, "%.1f KiB", (double)bytes / 1024);
    return out;
}

static void print_row(const struct script_bench_row *row)
{
    char median[SHOWN_SIZE], p99[SHOWN_SIZE], max[SHOWN_SIZE], bytes[SHOWN_SIZE];
    double share = (double)row->p99_ns / 1e4 / (double)row->budget_ms;

    printf("  %-26s %7u %9s %9s %9s %10s %5u ms %8.2f %%\n", row->name, row->calls, show_time(row->median_ns, median),
           show_time(row->p99_ns, p99), show_time(row->max_ns, max), show_bytes(row->bytes, bytes),
           (unsigned)row->budget_ms, share);
}

void script_report_bench(struct examples *e, struct script_bench *bench)
{
    struct script_bench_row row;

    printf("  %-26s %7s %9s %9s %9s %10s %8s %10s\n", "function", "calls", "median", "p99", "max", "memory", "budget",
           "p99 of it");
    for (unsigned i = 0; i < SCRIPT_BENCH_ROWS && script_bench_row(bench, i, &row); i++)
        if (row.calls && examples_owns(e, row.name))
            print_row(&row);
}

void script_report_totals(unsigned passed, unsigned failed)
{
    printf("%u passed, %u failed\n", passed, failed);
    fflush(stdout);
}
