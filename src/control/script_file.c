#include "control/script_file.h"

#include "base/need.h"
#include "control/cli_script.h"
#include "control/config_set.h"
#include "control/startup.h"
#include "config/settings.h"
#include "script/bundle.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SCRIPT_MAX = 1024 * 1024 };

/* A kind's folder, its only script if there is one alone, and which scripts beside it are needed. */
static const struct {
    const char *folder, *only;
    const char *const *needs; /* NULL: all */
} kinds[SCRIPT_KINDS] = {
    [SCRIPT_POLICY] = {"policies", NULL, (const char *const[]){NULL}},
    [SCRIPT_HEALTH] = {"health", NULL, (const char *const[]){"health/default.lua", NULL}},
    [SCRIPT_PAGE] = {"maintenance", "page", (const char *const[]){"health/default.lua", NULL}},
    [SCRIPT_COMMANDS] = {"commands", NULL, NULL},
    [SCRIPT_HOOK] = {"hooks", "authorize", NULL},
};

static bool refuse(const char *file, const char *what)
{
    fprintf(stderr, "tidelock: %s: %s\n", file, what);
    return false;
}

/* Reads a whole file; absent: said why not. */
static struct slice read_text(const char *name)
{
    FILE *file = fopen(name, "re");
    char *text = need(SCRIPT_MAX + 1);
    struct stat st;
    size_t len = 0;
    const char *wrong = NULL;

    if (!file)
        wrong = strerror(errno);
    else if (fstat(fileno(file), &st) < 0 || !S_ISREG(st.st_mode))
        wrong = "is not a file; name a script";
    else if ((len = fread(text, 1, SCRIPT_MAX + 1, file)) > SCRIPT_MAX)
        wrong = "longer than 1 MiB, which no script may be";
    else if (ferror(file))
        wrong = "cannot be read";
    if (file)
        fclose(file);
    if (!wrong)
        return slice_of(text, len);
    free(text);
    (void)refuse(name, wrong);
    return slice_of(NULL, 0);
}

static enum script_kind kind_of_folder(const char *folder)
{
    unsigned kind = 0;

    while (kind < SCRIPT_KINDS && strcmp(kinds[kind].folder, folder) != 0)
        kind++;
    return (enum script_kind)kind;
}

static bool is_directory(const char *dir, const char *name)
{
    struct stat st;
    char *path;
    bool is;

    path = need_printf("%s/%s", dir, name);
    is = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    free(path);
    return is;
}

/* Home and, unless the command line says it, kind: by the folder that the file is in. */
static bool find_kind(struct script_file *f, const struct script_cli *cli, const char *dir)
{
    char *folder = realpath(dir, NULL);

    if (!folder)
        return refuse(f->shown, strerror(errno));
    f->kind = cli->kind;
    if (f->kind == SCRIPT_KINDS)
        f->kind = kind_of_folder(basename(folder));
    if (kind_of_folder(basename(folder)) == f->kind && is_directory(dirname(folder), "commands"))
        f->home = need_text(folder); /* which dirname has cut */
    free(folder);
    if (f->kind != SCRIPT_KINDS)
        return true;
    return refuse(f->shown, "in none of policies/, health/, maintenance/, commands/ and hooks/; say what it is with "
                            "--kind policy, health, page, commands or hook");
}

/* Takes the name apart: "x/policies/cors_spec.lua" is a spec of "x/policies/cors.lua". */
static bool find_script(struct script_file *f, const char *dir, const char *base)
{
    static const char spec[] = "_spec.lua", lua[] = ".lua";
    size_t len = strlen(base);
    const char *only = kinds[f->kind].only;
    int name;

    if (len <= strlen(lua) || strcmp(base + len - strlen(lua), lua) != 0)
        return refuse(f->shown, "is no script; those have names that end in .lua");
    f->is_spec = len > strlen(spec) && strcmp(base + len - strlen(spec), spec) == 0;
    name = (int)(len - strlen(f->is_spec ? spec : lua));
    if (name > 200)
        return refuse(f->shown, "its name is too long");
    f->script = need_printf("%s/%.*s.lua", dir, name, base);
    if (only)
        snprintf(f->path, sizeof(f->path), "%s/%s.lua", kinds[f->kind].folder, only);
    else
        snprintf(f->path, sizeof(f->path), "%s/%.*s.lua", kinds[f->kind].folder, name, base);
    return true;
}

static bool locate(struct script_file *f, const struct script_cli *cli)
{
    char *for_dir = need_text(f->shown), *for_base = need_text(f->shown);
    const char *dir, *base;
    bool ok;

    dir = dirname(for_dir);
    base = basename(for_base);
    ok = find_kind(f, cli, dir) && find_script(f, dir, base);
    free(for_dir);
    free(for_base);
    return ok;
}

static bool read_settings(const struct script_file *f, const struct script_cli *cli, struct settings **settings)
{
    struct config_set *routes = NULL;
    struct cli with_home = cli->cli;
    char *problems = NULL;

    if (!with_home.scripts_dir)
        with_home.scripts_dir = f->home;
    *settings = startup_settings(&with_home, &routes, &problems);
    config_set_free(routes);
    if (*settings)
        return true;
    fprintf(stderr, "%s\n", problems);
    free(problems);
    return false;
}

static bool make_bundle(struct script_file *f, const struct settings *settings, struct slice script)
{
    const char *const *needs = kinds[f->kind].needs;
    struct bundle *base = NULL;
    struct error err;

    if (!needs || *needs) {
        base = bundle_read(settings->scripts_dir, &err);
        if (!base) {
            startup_say_script(settings, &err);
            return false;
        }
    }
    f->bundle = bundle_with(base, needs, f->path, script.data, script.len);
    bundle_unref(base);
    return true;
}

bool script_file_read(struct script_file *f, const struct script_cli *cli, const char *name,
                      struct settings **settings)
{
    struct slice script;
    bool ok;

    *settings = NULL;
    f->shown = name;
    f->text = read_text(name);
    if (!f->text.data || !locate(f, cli) || !read_settings(f, cli, settings))
        return false;
    if (!f->is_spec)
        return make_bundle(f, *settings, f->text);
    script = read_text(f->script);
    ok = script.data && make_bundle(f, *settings, script);
    free((char *)script.data);
    return ok;
}

void script_file_fini(struct script_file *f)
{
    free(f->home);
    free(f->script);
    free((char *)f->text.data);
    bundle_unref(f->bundle);
}

void script_file_say(const struct script_file *f, const struct settings *settings, const char *error)
{
    size_t len = strlen(f->path), shown = strlen(f->shown);

    if (strncmp(error, f->path, len) == 0 && error[len] == ':')
        fprintf(stderr, "tidelock: %s%s\n", f->script, error + len);
    else if (strncmp(error, f->shown, shown) == 0 && error[shown] == ':')
        fprintf(stderr, "tidelock: %s\n", error);
    else if (strchr(error, '/') && strstr(error, ".lua"))
        fprintf(stderr, "tidelock: %s/%s\n", settings->scripts_dir, error);
    else
        fprintf(stderr, "tidelock: %s: %s\n", f->shown, error);
}
