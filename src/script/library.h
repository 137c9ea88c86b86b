/* library.h - the trusted Lua library (lua/), built into the binary.
 *
 * The build writes the table from the files under lua/, so that the program carries what its scripts rely
 * on and no operator can lose or edit it. vm.c loads each file under its name, as require gives it.
 *
 * Thread: any; constant data. Ownership: static. */
#pragma once
#include <stddef.h>

struct library_file {
    const char *name; /* as require names it: "registry.line" for lua/registry/line.lua */
    const char *path; /* for messages: "lua/registry/line.lua" */
    const char *text; /* the source, NUL after its last byte */
    size_t len;       /* bytes, without that NUL */
};

/* All files, ordered by path. */
extern const struct library_file library_files[];

/* Number of entries in library_files. */
extern const size_t library_file_count;
