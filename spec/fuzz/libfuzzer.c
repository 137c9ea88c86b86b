/* The program that libFuzzer feeds. The environment names the target, and not an argument: libFuzzer starts itself
 * anew with its own arguments when it makes a corpus or an input smaller. */
#include "spec/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("FUZZ_TARGET");

    (void)argc;
    target = fuzz_find(name ? name : "");
    if (target)
        return 0;
    fprintf(stderr, "usage: FUZZ_TARGET=NAME %s [libFuzzer's arguments]; targets:\n", (*argv)[0]);
    for (const struct fuzz_target *t = fuzz_targets; t->name; t++)
        fprintf(stderr, "%s %u\n", t->name, t->max_len);
    exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Never absent: an empty input is a text of no bytes. */
    target->run(slice_of(size ? (const char *)data : "", size));
    return 0;
}
