/* file_error.h - why a file cannot be used, with what helps to mend it when permission is the reason.
 *
 * Thread: any. */
#pragma once
#include "base/check.h"

enum { FILE_ERROR_SIZE = 256 };

/* "No such file or directory"; for EACCES and EPERM "Permission denied (owner 0:0, mode 0600; this process is 998:998)".
 * Returns out. */
const char *file_error(const char *path, int error, char out[FILE_ERROR_SIZE]);

/* The same for a path that starts at a directory's descriptor. */
const char *file_error_at(int directory, const char *path, int error, char out[FILE_ERROR_SIZE]);
