/* script_file.h - a script that an operator named on the command line: what kind it is, and what it needs beside
 * itself to run.
 *
 * Thread: control. Ownership: the caller owns a struct script_file; script_file_fini frees what it holds. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include "script/examples.h"

struct bundle;
struct script_cli;
struct settings;

struct script_file {
    const char *shown; /* as the operator named it */
    enum script_kind kind;
    bool is_spec;
    char *home;     /* the scripts that it is among; NULL: none */
    char path[300]; /* of the script, below a directory of scripts: "policies/cors.lua" */
    char *script;   /* the script's own name: of a spec, that of what it examines */
    struct slice text; /* of the file, owned */
    struct bundle *bundle; /* the script and what it needs */
};

/* Reads the file and what it needs. *settings gets the settings, the caller's also when it fails (then perhaps NULL).
 * False: said what is wrong and how to mend it. */
MUST_USE bool script_file_read(struct script_file *f, const struct script_cli *cli, const char *name,
                               struct settings **settings);
void script_file_fini(struct script_file *f);

/* Says on standard error what is wrong: an error that begins with a path below the directory of scripts, or with
 * the file's name. */
void script_file_say(const struct script_file *f, const struct settings *settings, const char *error);
