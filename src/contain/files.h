/* files.h - which files the process can reach from now on (Landlock, Linux 5.13 and later).
 *
 * A set of rules names files and directories; once it is in force nothing else can be opened, made or executed by the
 * calling thread and threads that it makes, whoever they run as. It can never be widened. What is below a directory
 * belongs to it, also what comes there later. Looking at names (stat) and watching them (inotify) stay free.
 *
 * Thread: the main thread, before it makes others. Ownership: the caller closes what files_open gave by
 * files_enforce. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#endif

enum files_use {
    FILES_READ, /* files are read, directories listed */
    FILES_WRITE /* files are made, read, written and renamed, too */
};

/* A set without rules: a descriptor, or -errno (ENOSYS, EOPNOTSUPP: this system has no Landlock). */
MUST_USE int files_open(void);

/* Lets path and all below it be used. What is not there is passed over. 0 or -errno. */
MUST_USE int files_allow(int set, const char *path, enum files_use use);

/* Lets what the directory that a file or directory is in has be used, and the one to which links lead, so that it can be
 * replaced: a rule holds for what has the name now. 0 or -errno. */
MUST_USE int files_allow_around(int set, const char *file, enum files_use use);

/* Puts the set in force and closes it. The process must have no new privileges to gain (identity_close). 0 or
 * -errno. */
MUST_USE int files_enforce(int set);
