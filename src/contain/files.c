#include "contain/files.h"

#include "base/need.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights that later kernels know; headers of a Debian 12 may be older than the kernel. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define EVERYTHING (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1) /* all that the first version knows */
#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITING (READING | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE)
#define ON_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

/* What the running kernel can hold back. */
static uint64_t handled(int version)
{
    return EVERYTHING | (version >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0) | (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

static int version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

int files_open(void)
{
    struct landlock_ruleset_attr attr = {0};
    int known = version(), fd;

    if (known < 0)
        return -errno;
    attr.handled_access_fs = handled(known);
    fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    return fd < 0 ? -errno : fd;
}

int files_allow(int set, const char *path, enum files_use use)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = use == FILES_WRITE ? WRITING : READING};
    struct stat st;
    int result = 0;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= ON_FILES;
    rule.allowed_access &= handled(version());
    if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        result = -errno;
    close(rule.parent_fd);
    return result;
}

static int allow_directory_of(int set, const char *file, enum files_use use)
{
    char *copy = need_text(file);
    int result;

    result = files_allow(set, dirname(copy), use);
    free(copy);
    return result;
}

int files_allow_around(int set, const char *file, enum files_use use)
{
    char *real = realpath(file, NULL);
    int result = allow_directory_of(set, file, use);

    if (result == 0 && real)
        result = allow_directory_of(set, real, use);
    free(real);
    return result;
}

int files_enforce(int set)
{
    int result = syscall(SYS_landlock_restrict_self, set, 0) == 0 ? 0 : -errno;

    close(set);
    return result;
}
