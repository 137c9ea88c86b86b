#include "script/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPT_MAX = 1024 * 1024, PATH_SIZE = 4096 };

static const char policies[] = "policies";

static int is_lua(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0;
}

static bool read_text(const char *dir, struct bundle_file *into, struct error *err)
{
    char path[2 * PATH_SIZE];
    FILE *file;
    bool ok;

    snprintf(path, sizeof(path), "%s/%s", dir, into->path);
    file = fopen(path, "re");
    if (!file)
        return error_set(err, "%s: %s", into->path, strerror(errno));
    into->text = malloc(SCRIPT_MAX + 1);
    CHECK(into->text);
    into->len = fread(into->text, 1, SCRIPT_MAX + 1, file);
    ok = !ferror(file) && into->len <= SCRIPT_MAX;
    fclose(file);
    if (!ok)
        return error_set(err, "%s: cannot be read, or is longer than %d bytes", into->path, SCRIPT_MAX);
    into->text = realloc(into->text, into->len + 1);
    CHECK(into->text);
    return true;
}

static bool read_folder(struct bundle *b, const char *dir, struct error *err)
{
    char path[PATH_SIZE];
    struct dirent **entries;
    bool ok = true;
    int count;

    snprintf(path, sizeof(path), "%s/%s", dir, policies);
    count = scandir(path, &entries, is_lua, alphasort);
    if (count < 0)
        return errno == ENOENT || error_set(err, "%s: %s", policies, strerror(errno));
    b->files = calloc((size_t)count + 1, sizeof(*b->files));
    CHECK(b->files);
    for (int i = 0; i < count; i++) {
        struct bundle_file *file = &b->files[b->count++];

        CHECK(asprintf(&file->path, "%s/%s", policies, entries[i]->d_name) > 0);
        ok = ok && read_text(dir, file, err);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

struct bundle *bundle_read(const char *dir, struct error *err)
{
    struct bundle *b = calloc(1, sizeof(*b));

    ASSERT_CONTROL();
    CHECK(b);
    b->refs = 1;
    if (read_folder(b, dir, err))
        return b;
    bundle_unref(b);
    return NULL;
}

struct bundle *bundle_ref(struct bundle *b)
{
    ASSERT_CONTROL();
    CHECK(b->refs > 0);
    b->refs++;
    return b;
}

void bundle_unref(struct bundle *b)
{
    if (!b)
        return;
    ASSERT_CONTROL();
    CHECK(b->refs > 0);
    if (--b->refs > 0)
        return;
    for (unsigned i = 0; i < b->count; i++) {
        free(b->files[i].path);
        free(b->files[i].text);
    }
    free(b->files);
    free(b);
}

bool bundle_each(const struct bundle *b, const char *folder,
                 bool (*fn)(const struct bundle_file *file, void *arg), void *arg)
{
    size_t len = strlen(folder);

    for (unsigned i = 0; i < b->count; i++)
        if (strncmp(b->files[i].path, folder, len) == 0 && b->files[i].path[len] == '/' &&
            !fn(&b->files[i], arg))
            return false;
    return true;
}
