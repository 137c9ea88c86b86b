#include "base/file_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *file_error(const char *path, int error, char out[FILE_ERROR_SIZE])
{
    return file_error_at(AT_FDCWD, path, error, out);
}

const char *file_error_at(int directory, const char *path, int error, char out[FILE_ERROR_SIZE])
{
    struct stat st;
    const char *more = "";

    if (error != EACCES && error != EPERM) {
        snprintf(out, FILE_ERROR_SIZE, "%s", strerror(error));
        return out;
    }
    if (fstatat(directory, path, &st, 0) != 0) {
        snprintf(out, FILE_ERROR_SIZE, "%s (a directory on the way is closed to user %u)", strerror(error), geteuid());
        return out;
    }
    if (geteuid() == 0 || (geteuid() == st.st_uid && (st.st_mode & S_IRUSR)))
        more = "; the sandbox lets only what was named at the start be reached: see sandbox_paths";
    snprintf(out, FILE_ERROR_SIZE, "%s (owner %u:%u, mode %04o; this process is %u:%u%s)", strerror(error), st.st_uid,
             st.st_gid, st.st_mode & 07777, geteuid(), getegid(), more);
    return out;
}
