/* replay.c - runs files through a fuzz target, without libFuzzer: fuzz-replay NAME FILE...
 *
 * Without arguments: prints the names of all targets. Prints each file's name before it is run; the status says
 * whether all held, and the last name printed is the one that did not. */
#include "spec/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZE_MAX_KIB = 64 };

static bool replay(const struct fuzz_target *target, const char *path)
{
    static char block[SIZE_MAX_KIB * 1024];
    FILE *file = fopen(path, "re");
    struct slice input;
    size_t len;

    if (!file) {
        perror(path);
        return false;
    }
    len = fread(block, 1, sizeof(block), file);
    (void)fclose(file);
    input = fuzz_copy(slice_of(block, len));
    target->run(len ? input : SLICE(""));
    free((void *)input.data);
    return true;
}

int main(int argc, char **argv)
{
    const struct fuzz_target *target = argc > 1 ? fuzz_find(argv[1]) : NULL;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && !target) {
        fprintf(stderr, "no target %s\n", argv[1]);
        return 2;
    }
    for (const struct fuzz_target *t = fuzz_targets; argc == 1 && t->name; t++)
        puts(t->name);
    for (int i = 2; i < argc; i++) {
        puts(argv[i]);
        if (!replay(target, argv[i]))
            return 2;
    }
    return 0;
}
