#include "contain/identity.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* "1000" to 1000; false when text is no number of an id. */
static bool number_of(const char *text, unsigned *id)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || number >= (unsigned)-1)
        return false;
    *id = (unsigned)number;
    return true;
}

static bool find_group(const char *group, struct identity *out, struct error *err)
{
    struct group *found;
    unsigned number;

    errno = 0;
    found = getgrnam(group);
    if (found)
        out->gid = found->gr_gid;
    else if (number_of(group, &number))
        out->gid = number;
    else
        return error_set(err, "group: there is no group %s%s%s", group, errno ? ": " : "", errno ? strerror(errno) : "");
    return true;
}

bool identity_find(const char *user, const char *group, struct identity *out, struct error *err)
{
    struct passwd *found;
    struct group *own;
    unsigned number;

    *out = (struct identity){.group_count = IDENTITY_GROUPS};
    errno = 0;
    found = getpwnam(user);
    if (!found && number_of(user, &number)) {
        out->uid = number;
        found = getpwuid(out->uid);
    } else if (!found) {
        return error_set(err, "user: there is no user %s%s%s", user, errno ? ": " : "", errno ? strerror(errno) : "");
    }
    if (found) {
        out->uid = found->pw_uid;
        out->gid = found->pw_gid;
    } else if (!group) {
        return error_set(err, "user: %s is nobody's number, so a group has to be given, too", user);
    }
    if (group && !find_group(group, out, err))
        return false;
    snprintf(out->user, sizeof(out->user), "%s", found ? found->pw_name : user);
    if (!found || getgrouplist(found->pw_name, out->gid, out->groups, &out->group_count) < 0) {
        out->groups[0] = out->gid;
        out->group_count = 1;
    }
    own = getgrgid(out->gid);
    snprintf(out->group, sizeof(out->group), "%s", own ? own->gr_name : group ? group : "?");
    return true;
}

bool identity_is(const struct identity *id)
{
    uid_t real, effective, saved;

    CHECK(getresuid(&real, &effective, &saved) == 0);
    return real == id->uid && effective == id->uid && saved == id->uid && getegid() == id->gid;
}

int identity_drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0 ? 0 : -errno;
}

/* Tries the way back; true: there is none. */
static bool no_way_back(const struct identity *id)
{
    uid_t uids[3];
    gid_t gids[3];

    if (getresuid(&uids[0], &uids[1], &uids[2]) || getresgid(&gids[0], &gids[1], &gids[2]))
        return false;
    for (int i = 0; i < 3; i++)
        if (uids[i] != id->uid || gids[i] != id->gid)
            return false;
    return id->uid == 0 || (setresuid(-1, 0, -1) != 0 && setresgid(-1, 0, -1) != 0 && setgroups(0, NULL) != 0);
}

bool identity_take(const struct identity *id, struct error *err)
{
    if (setgroups((size_t)id->group_count, id->groups))
        return error_set(err, "cannot take the groups of user %s: %s", id->user, strerror(errno));
    if (setresgid(id->gid, id->gid, id->gid))
        return error_set(err, "cannot take group %s: %s", id->group, strerror(errno));
    if (setresuid(id->uid, id->uid, id->uid))
        return error_set(err, "cannot become user %s: %s", id->user, strerror(errno));
    if (id->uid != 0 && identity_drop_capabilities() != 0)
        return error_set(err, "user %s keeps capabilities", id->user);
    if (!no_way_back(id))
        return error_set(err, "user %s could become root again", id->user);
    return true;
}

void identity_close(bool core)
{
    struct rlimit limit;

    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, core ? 1 : 0, 0, 0, 0) == 0);
    if (core && getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
}
