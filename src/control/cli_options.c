#include "control/cli_options.h"

#include "base/slice.h"

#include <stdio.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters have to be put in, taken out or changed to make b of a (at most 31 of each). */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[32];

    a.len = smaller(a.len, 31);
    b.len = smaller(b.len, 31);
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t changed = diagonal + (a.data[i - 1] != b.data[j - 1]);

            diagonal = row[j];
            row[j] = smaller(changed, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

/* The option whose name is most like what was given; NULL: none is. */
static const char *nearest(const struct cli_options *o, const char *given)
{
    struct slice name = {given + strspn(given, "-"), 0};
    const char *best = NULL;
    size_t best_distance = 4;

    name.len = strcspn(name.data, "=");
    for (const struct option *known = o->known; known->name; known++) {
        size_t d = distance(name, slice_str(known->name));

        if (d < best_distance && d < strlen(known->name)) {
            best_distance = d;
            best = known->name;
        }
    }
    return best;
}

static enum cli_result unknown(const struct cli_options *o, const char *given)
{
    const char *best = nearest(o, given);

    fprintf(stderr, "%s: unknown option %s", o->program, given);
    if (best)
        fprintf(stderr, "; did you mean --%s?", best);
    fprintf(stderr, "\nTry: %s --help\n", o->program);
    return CLI_WRONG;
}

/* getopt_long found something wrong; argument is what it has read. */
static enum cli_result refuse(const struct cli_options *o, int found, const char *argument)
{
    char letter[] = {'-', (char)optopt, '\0'};

    if (found == ':') {
        fprintf(stderr, "%s: %s: a value is missing\nTry: %s --help\n", o->program, argument, o->program);
        return CLI_WRONG;
    }
    for (const struct option *known = o->known; optopt && known->name; known++) {
        if (known->val == optopt) {
            fprintf(stderr, "%s: --%s: takes no value\nTry: %s --help\n", o->program, known->name, o->program);
            return CLI_WRONG;
        }
    }
    return unknown(o, optopt ? letter : argument);
}

enum cli_result cli_options_read(const struct cli_options *o, void *arg, int argc, char **argv)
{
    enum cli_result result = CLI_GO;

    opterr = 0;
    while (result == CLI_GO) {
        int found = getopt_long(argc, argv, ":h", o->known, NULL);

        if (found < 0)
            break;
        /* Options may stand behind other arguments: where it began to look says nothing, where it ended does. */
        if (found == '?' || found == ':')
            result = refuse(o, found, argv[optind - 1]);
        else
            result = o->take(arg, found, optarg);
    }
    return result;
}
