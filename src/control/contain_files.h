/* contain_files.h - which files a running proxy comes back to: for the rules of the sandbox, and to see whether the user it
 * runs as can read them.
 *
 * Thread: control. */
#pragma once
#include "base/check.h"
#include <stdbool.h>

struct control;

enum contained_kind {
    CONTAINED_FILE,      /* read again: configuration, certificates, keys */
    CONTAINED_DIRECTORY, /* whose files are read again: scripts, ACME challenges */
    CONTAINED_SYSTEM,    /* the system's, where it has them: name service, authorities' certificates */
    CONTAINED_LOG        /* made and written anew */
};

/* Calls fn for each file that the settings in force and the command line name, then for the system's. */
void contain_files_each(const struct control *c, void (*fn)(void *arg, const char *path, enum contained_kind kind),
                        void *arg);

/* Tries each of them and logs what cannot be read, or made, by the process as it is now. */
void contain_files_try(const struct control *c);
