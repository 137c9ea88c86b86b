/* bundle.h - the texts of one generation of scripts, as they stood in their directory at one moment.
 *
 * Read in one go, then immutable: a VM is made from it, now or again later, whatever has become of the files.
 * But for its generation, which it gets when it is put in service, and for the marks of its scripts.
 *
 * Every error of reading or loading begins with a path below the directory: "commands/x.lua:3: ...".
 *
 * Thread: made, counted and freed by control; a worker reads the one that its newest lease's snapshot
 * carries. Ownership: references counted, by control alone. FFI-clean. */
#ifdef FFI_CDEF
#define _Atomic /* LuaJIT's FFI knows no atomics; the layout is the same */
#else
#pragma once
#include "base/check.h"
#include "base/error.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/* What is known of a script since its generation is in service. */
struct bundle_mark {
    _Atomic uint32_t off; /* 1: a request policy that failed too often. Set by any worker, cleared by control; relaxed,
                             as nothing else hangs on it */
};

/* One script. */
struct bundle_file {
    char *path; /* below the directory: "commands/drain.lua" */
    char *text; /* len bytes, any of them; not NUL-terminated */
    size_t len;
    struct bundle_mark *mark;
};

struct bundle {
    unsigned refs;
    uint64_t generation; /* 0: never was in service */
    unsigned count;
    struct bundle_file *files; /* sorted by path */
};

/* Reads commands/, hooks/authorize.lua, health/, maintenance/page.lua and policies/ of dir, but what ends in
 * _spec.lua, which examines scripts (script/examples.h); the first and the third have to be there with at least one script. One reference, the caller's. NULL: err. */
struct bundle *bundle_read(const char *dir, struct error *err);

/* A bundle of the named scripts of another that are there, with one of them put in the place of its namesake or
 * beside the others: path and text are copied. paths NULL: all. One reference, the caller's. base NULL: none. */
struct bundle *bundle_with(const struct bundle *base, const char *const *paths, const char *path, const char *text,
                           size_t len);

struct bundle *bundle_ref(struct bundle *b);
void bundle_unref(struct bundle *b); /* frees with the last one; NULL is fine */

/* Have both the same files with the same texts? */
bool bundle_equal(const struct bundle *a, const struct bundle *b);

/* The script of a path, or NULL. */
const struct bundle_file *bundle_find(const struct bundle *b, const char *path);

/* Calls fn for each script of a folder ("health"), sorted by name, until it returns false. True: it never did. */
bool bundle_each(const struct bundle *b, const char *folder,
                 bool (*fn)(const struct bundle_file *file, void *arg), void *arg);

/* Takes back all marks: it is put in service again. */
void bundle_clear_marks(struct bundle *b);

/* Puts the path in front of the error's text unless that begins with it. */
void bundle_name_error(const char *path, struct error *err);
