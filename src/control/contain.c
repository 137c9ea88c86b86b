#include "control/contain.h"

#include "base/log.h"
#include "config/settings.h"
#include "contain/files.h"
#include "contain/identity.h"
#include "contain/syscalls.h"
#include "control/contain_files.h"
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sanitizer's runtime reads /proc, starts helpers and writes reports: it cannot live in the sandbox. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* ---- who it is */

bool contain_check(const struct settings *s, struct error *err)
{
    struct identity id;

    if (!s->user)
        return s->group == NULL || error_set(err, "group: needs user, whose group it is to be");
    if (!identity_find(s->user, s->group, &id, err))
        return false;
    if (geteuid() != 0 && !identity_is(&id))
        return error_set(err, "user: only root can become another user; start as root or as %s", id.user);
    return true;
}

/* The access log was made by root, and has to be written on by the user when it is opened anew. A file with another name
 * elsewhere is not ours to give away. */
static void give_log(const struct settings *s, const struct identity *id)
{
    struct stat st;
    int fd;

    if (s->access_format == ACCESS_OFF || strcmp(s->access_file, "-") == 0)
        return;
    fd = open(s->access_file, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid == id->uid ||
        fchown(fd, id->uid, id->gid) == 0)
        goto out;
    log_write(LOG_WARN, "the access log stays its owner's", "file=\"%s\" user=%s error=\"%s\"", s->access_file, id->user,
              strerror(errno));
out:
    close(fd);
}

/* Of somebody who was started with some. */
static void drop_capabilities(void)
{
    int result = geteuid() == 0 ? 0 : identity_drop_capabilities();

    if (result)
        log_write(LOG_WARN, "capabilities are kept", "error=\"%s\"", strerror(-result));
}

static bool become_user(const struct settings *s)
{
    struct identity id;
    struct error err;

    if (!contain_check(s, &err) || !identity_find(s->user, s->group, &id, &err)) {
        fprintf(stderr, "tidelock: %s\n", err.text);
        return false;
    }
    if (identity_is(&id)) {
        drop_capabilities();
        return true;
    }
    give_log(s, &id);
    if (!identity_take(&id, &err)) {
        fprintf(stderr, "tidelock: user: %s\n", err.text);
        return false;
    }
    return true;
}

static bool settle_identity(const struct settings *s)
{
    struct error err;

    if (s->user) {
        if (!become_user(s))
            return false;
    } else if (!contain_check(s, &err)) {
        fprintf(stderr, "tidelock: %s\n", err.text);
        return false;
    } else if (geteuid() != 0) {
        drop_capabilities();
    } else {
        log_write(LOG_WARN, "runs as root: whoever takes it over has the machine",
                  "mend=\"name a user in the configuration, user = 'tidelock'\"");
    }
    identity_close(s->core_dumps);
    return true;
}

/* ---- files */

struct rules {
    int set;
    int error; /* the first */
};

static void allow_one(void *arg, const char *path, enum contained_kind kind)
{
    struct rules *rules = arg;
    int result = kind == CONTAINED_SYSTEM ? files_allow(rules->set, path, FILES_READ)
                 : kind == CONTAINED_LOG  ? files_allow_around(rules->set, path, FILES_WRITE)
                                          : files_allow_around(rules->set, path, FILES_READ);

    if (result && !rules->error)
        rules->error = result;
}

/* 0 or -errno. */
static int restrict_files(const struct control *c)
{
    const struct settings *s = c->settings;
    struct rules rules = {files_open(), 0};

    if (rules.set < 0)
        return rules.set;
    contain_files_each(c, allow_one, &rules);
    for (unsigned i = 0; i < s->sandbox_path_count; i++)
        allow_one(&rules, s->sandbox_paths[i].data, CONTAINED_SYSTEM);
    if (s->core_dumps && !rules.error)
        rules.error = files_allow(rules.set, ".", FILES_WRITE);
    if (rules.error) {
        close(rules.set);
        return rules.error;
    }
    return files_enforce(rules.set);
}

/* ---- all of it */

/* "on", or why it is not. */
static const char *said(int result)
{
    switch (result) {
    case 0:
        return "on";
    case -ENOSYS:
    case -EOPNOTSUPP:
        return "the kernel has none";
    default:
        return strerror(-result);
    }
}

static void enter_sandbox(const struct control *c)
{
    int files = restrict_files(c), calls;

    contain_files_try(c); /* with the user's rights and the sandbox's, before the filter ends the process for less */
    calls = syscalls_restrict();
    log_write(files || calls ? LOG_WARN : LOG_INFO, files && calls ? "not in a sandbox" : "in the sandbox", "files=\"%s\" system_calls=\"%s\"", said(files),
              said(calls));
}

bool contain(struct control *c)
{
    const struct settings *s = c->settings;

    ASSERT_CONTROL();
    if (!settle_identity(s))
        return false;
    if (s->sandbox && !SANITIZED) {
        enter_sandbox(c);
        return true;
    }
    contain_files_try(c);
    log_write(SANITIZED ? LOG_INFO : LOG_WARN, "not in a sandbox", "reason=\"%s\"",
              SANITIZED ? "built with a sanitizer" : "sandbox = false");
    return true;
}
