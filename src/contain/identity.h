/* identity.h - who the program is: found by name while names can be looked up, taken before it serves.
 *
 * identity_take is one way: afterwards no call can bring back what was given up, and that is tried, not assumed.
 *
 * Thread: the main thread, while it is the only one or all others do nothing but write what is logged (glibc changes
 * the ids of every thread; capabilities are those of the calling thread and of threads it makes). */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/error.h"
#include <stdbool.h>
#include <sys/types.h>
#endif

enum { IDENTITY_GROUPS = 64, IDENTITY_NAME = 64 };

struct identity {
    uid_t uid;
    gid_t gid;
    char user[IDENTITY_NAME], group[IDENTITY_NAME]; /* for messages */
    gid_t groups[IDENTITY_GROUPS];                  /* supplementary, gid among them */
    int group_count;
};

/* A user, and a group or NULL for the user's own, by name or number. False: err says which of them is not there. */
MUST_USE bool identity_find(const char *user, const char *group, struct identity *out, struct error *err);

/* Is the process that already? */
bool identity_is(const struct identity *id);

/* Becomes id and gives up every capability. False: err says what did not work; who the process is now is unknown, so
 * the caller has to end. */
MUST_USE bool identity_take(const struct identity *id, struct error *err);

/* Gives up the capabilities that somebody who is not root was started with, such as that to bind low ports. 0 or -errno:
 * whoever started us does not let us. */
MUST_USE int identity_drop_capabilities(void);

/* No exec can give new privileges from now on. core: may a crash leave a core, and may others of this user look into
 * the process? */
void identity_close(bool core);
