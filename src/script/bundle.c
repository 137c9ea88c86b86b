#include "script/bundle.h"

#include "base/file_error.h"
#include "base/need.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRIPT_MAX = 1024 * 1024, FILES_MAX = 1000, PATH_SIZE = 4096 };

/* What belongs to a bundle. */
struct folder {
    const char *name;
    const char *only; /* file; NULL: every *.lua */
    bool needed;      /* and at least one script in it */
};

static const struct folder folders[] = {
    {"commands", NULL, true},  {"hooks", "authorize.lua", false}, {"health", NULL, true},
    {"maintenance", "page.lua", false}, {"policies", NULL, false},
};

/* Reads len bytes at most and the end of the file. The length, or -errno. */
static ssize_t read_all(int fd, char *out, size_t size)
{
    size_t len = 0;
    ssize_t got = 1;

    while (got > 0 && len < size) {
        got = read(fd, out + len, size - len);
        if (got < 0)
            return -errno;
        len += (size_t)got;
    }
    return (ssize_t)len;
}

/* The text of an open file into file. */
static bool read_text(int fd, struct bundle_file *file, struct error *err)
{
    struct stat st;
    ssize_t len;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, "%s: is not a file", file->path);
    if (st.st_size > SCRIPT_MAX)
        return error_set(err, "%s: longer than %d bytes", file->path, SCRIPT_MAX);
    file->text = malloc(SCRIPT_MAX + 1);
    if (!file->text)
        return error_set(err, "%s: out of memory", file->path);
    len = read_all(fd, file->text, SCRIPT_MAX + 1);
    if (len < 0)
        return error_set(err, "%s: %s", file->path, strerror((int)-len));
    if (len > SCRIPT_MAX)
        return error_set(err, "%s: longer than %d bytes", file->path, SCRIPT_MAX);
    file->len = (size_t)len;
    file->text = need_resized(file->text, file->len + 1);
    return true;
}

/* Adds one script; path below dir. */
static bool add_file(struct bundle *b, int dir, const char *path, struct error *err)
{
    struct bundle_file *file;
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char why[FILE_ERROR_SIZE];
    bool ok;

    if (fd < 0)
        return error_set(err, "%s: %s", path, file_error_at(dir, path, errno, why));
    b->files = need_resized(b->files, (b->count + 1) * sizeof(*b->files));
    file = &b->files[b->count++];
    *file = (struct bundle_file){.path = need_text(path), .mark = need_zeroed(1, sizeof(*file->mark))};
    ok = read_text(fd, file, err);
    close(fd);
    if (ok && b->count > FILES_MAX)
        return error_set(err, "%s: is one script too many, at most %d are read", path, FILES_MAX);
    return ok;
}

static bool belongs(const struct folder *folder, const char *name)
{
    size_t len = strlen(name);

    if (folder->only)
        return strcmp(name, folder->only) == 0;
    if (len > 9 && strcmp(name + len - 9, "_spec.lua") == 0)
        return false;
    return name[0] != '.' && len > 4 && strcmp(name + len - 4, ".lua") == 0;
}

/* Adds the scripts of an open folder. */
static bool add_entries(struct bundle *b, int dir, const struct folder *folder, DIR *entries,
                        struct error *err)
{
    unsigned before = b->count;
    const struct dirent *entry;
    char path[PATH_SIZE];

    while (errno = 0, (entry = readdir(entries)) != NULL) {
        if (!belongs(folder, entry->d_name))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder->name, entry->d_name);
        if (!add_file(b, dir, path, err))
            return false;
    }
    if (errno) /* else a part would be taken for the whole */
        return error_set(err, "%s: %s", folder->name, strerror(errno));
    if (folder->needed && b->count == before)
        return error_set(err, "%s: there are no scripts in it", folder->name);
    return true;
}

static bool add_folder(struct bundle *b, int dir, const struct folder *folder, struct error *err)
{
    int fd = openat(dir, folder->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char why[FILE_ERROR_SIZE];
    DIR *entries;
    bool ok;

    if (fd < 0 && errno == ENOENT && !folder->needed)
        return true;
    entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries) {
        error_set(err, "%s: %s", folder->name, file_error_at(dir, folder->name, errno, why));
        if (fd >= 0)
            close(fd);
        return false;
    }
    ok = add_entries(b, dir, folder, entries, err);
    closedir(entries);
    return ok;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct bundle_file *)a)->path, ((const struct bundle_file *)b)->path);
}

struct bundle *bundle_read(const char *dir, struct error *err)
{
    struct bundle *b;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char why[FILE_ERROR_SIZE];
    bool ok = true;

    if (fd < 0) {
        error_set(err, "commands: %s", file_error(dir, errno, why));
        return NULL;
    }
    b = need_zeroed(1, sizeof(*b));
    b->refs = 1;
    for (size_t i = 0; ok && i < sizeof(folders) / sizeof(folders[0]); i++)
        ok = add_folder(b, fd, &folders[i], err);
    close(fd);
    if (b->count)
        qsort(b->files, b->count, sizeof(*b->files), by_path);
    if (ok)
        return b;
    bundle_unref(b);
    return NULL;
}

static void copy_file(struct bundle *b, const char *path, const char *text, size_t len)
{
    struct bundle_file *file = &b->files[b->count++];

    *file = (struct bundle_file){
        .path = need_text(path), .text = need(len + 1), .len = len, .mark = need_zeroed(1, sizeof(*file->mark))};
    memcpy(file->text, text, len);
}

static bool is_named(const char *const *paths, const char *path)
{
    while (paths && *paths && strcmp(*paths, path) != 0)
        paths++;
    return !paths || *paths;
}

struct bundle *bundle_with(const struct bundle *base, const char *const *paths, const char *path, const char *text,
                           size_t len)
{
    struct bundle *b = need_zeroed(1, sizeof(*b));

    b->refs = 1;
    b->generation = 1;
    b->files = need_zeroed((base ? base->count : 0) + 1, sizeof(*b->files));
    for (unsigned i = 0; base && i < base->count; i++) {
        const struct bundle_file *file = &base->files[i];

        if (strcmp(file->path, path) != 0 && is_named(paths, file->path))
            copy_file(b, file->path, file->text, file->len);
    }
    copy_file(b, path, text, len);
    qsort(b->files, b->count, sizeof(*b->files), by_path);
    return b;
}

struct bundle *bundle_ref(struct bundle *b)
{
    b->refs++;
    return b;
}

void bundle_unref(struct bundle *b)
{
    if (!b)
        return;
    CHECK(b->refs > 0);
    if (--b->refs > 0)
        return;
    for (unsigned i = 0; i < b->count; i++) {
        free(b->files[i].path);
        free(b->files[i].text);
        free(b->files[i].mark);
    }
    free(b->files);
    free(b);
}

static bool same_file(const struct bundle_file *a, const struct bundle_file *b)
{
    return strcmp(a->path, b->path) == 0 && a->len == b->len &&
           memcmp(a->text, b->text, a->len) == 0;
}

bool bundle_equal(const struct bundle *a, const struct bundle *b)
{
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++) {
        if (!same_file(&a->files[i], &b->files[i]))
            return false;
    }
    return true;
}

const struct bundle_file *bundle_find(const struct bundle *b, const char *path)
{
    for (unsigned i = 0; i < b->count; i++) {
        if (strcmp(b->files[i].path, path) == 0)
            return &b->files[i];
    }
    return NULL;
}

bool bundle_each(const struct bundle *b, const char *folder,
                 bool (*fn)(const struct bundle_file *file, void *arg), void *arg)
{
    size_t len = strlen(folder);

    for (unsigned i = 0; i < b->count; i++) {
        const struct bundle_file *file = &b->files[i];

        if (strncmp(file->path, folder, len) == 0 && file->path[len] == '/' && !fn(file, arg))
            return false;
    }
    return true;
}

void bundle_clear_marks(struct bundle *b)
{
    for (unsigned i = 0; i < b->count; i++)
        atomic_store_explicit(&b->files[i].mark->off, 0, memory_order_relaxed);
}

void bundle_name_error(const char *path, struct error *err)
{
    size_t len = strlen(path);
    struct error said = *err;

    if (strncmp(err->text, path, len) != 0 || err->text[len] != ':')
        error_set(err, "%s: %s", path, said.text);
}
