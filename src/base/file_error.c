#include "base/file_error.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the file, or of the directory in which it would be made; false: neither can be looked at. */
static bool look(int directory, const char *path, struct stat *st, const char **what)
{
    char copy[PATH_MAX];

    *what = "";
    if (fstatat(directory, path, st, 0) == 0)
        return true;
    if (errno != ENOENT || snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
        return false;
    *what = "its directory's ";
    return fstatat(directory, dirname(copy), st, 0) == 0;
}

/* Would the modes alone let this process in? */
static bool is_open(const struct stat *st)
{
    return geteuid() == 0 || (geteuid() == st->st_uid && (st->st_mode & S_IRUSR)) || (st->st_mode & S_IROTH);
}

const char *file_error(const char *path, int error, char out[FILE_ERROR_SIZE])
{
    return file_error_at(AT_FDCWD, path, error, out);
}

const char *file_error_at(int directory, const char *path, int error, char out[FILE_ERROR_SIZE])
{
    const char *what;
    struct stat st;

    if (error != EACCES && error != EPERM)
        snprintf(out, FILE_ERROR_SIZE, "%s", strerror(error));
    else if (!look(directory, path, &st, &what))
        snprintf(out, FILE_ERROR_SIZE, "%s (a directory on the way is closed to user %u)", strerror(error), geteuid());
    else
        snprintf(out, FILE_ERROR_SIZE, "%s (%sowner %u:%u, mode %04o; this process is %u:%u%s)", strerror(error), what,
                 st.st_uid, st.st_gid, st.st_mode & 07777, geteuid(), getegid(),
                 is_open(&st) ? "; perhaps the sandbox's doing, see sandbox_paths" : "");
    return out;
}
