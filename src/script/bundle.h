/* bundle.h - the sources of one generation of scripts, as they were read.
 *
 * Control reads a bundle, checks it, gives it its generation and puts a reference into every snapshot, so that a
 * worker that holds a lease can make a VM of the same generation.
 *
 * Thread: made, counted and freed by control; immutable, so workers read it while they hold a lease of a snapshot
 * that carries it. Ownership: a bundle owns its texts. */
#pragma once
#include "base/check.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One script. */
struct bundle_file {
    char *path; /* below the directory of scripts: "policies/sticky.lua" */
    char *text; /* len bytes, not NUL-terminated */
    size_t len;
};

struct bundle {
    unsigned refs;
    uint64_t generation; /* counts up from 1; 0: never was in service */
    unsigned count;
    struct bundle_file *files; /* sorted by path */
};

/* Reads policies/ of dir, which need not be there. One reference, the caller's. NULL: err names the file. */
struct bundle *bundle_read(const char *dir, struct error *err);
struct bundle *bundle_ref(struct bundle *b);
void bundle_unref(struct bundle *b); /* NULL is fine */

/* Calls fn for each script of a folder ("policies"), sorted by name, until it returns false. True: it never did. */
bool bundle_each(const struct bundle *b, const char *folder,
                 bool (*fn)(const struct bundle_file *file, void *arg), void *arg);
