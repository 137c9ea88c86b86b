#include "script/vm_load.h"

#include "control/control.h"
#include "script/api.h"
#include "script/sandbox.h"
#include "script/vm_health.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCRIPT_MAX = 1024 * 1024 };

/* A kind of scripts: who in lua/ takes what one returns. */
struct script_kind {
    const char *folder;
    const char *module, *function;
    bool named; /* the function is told the script's name before its path */
};

static const struct script_kind commands = {"commands", "registry", "define", false};
static const struct script_kind hooks = {"hooks", "registry", "hook", true};
static const struct script_kind pages = {"maintenance", "page", "define", false};
static const struct script_kind policies = {"health", "health", "define", true};

/* One script on its way into the VM. */
struct script {
    const struct script_kind *kind;
    char name[256]; /* of its file, without ".lua" */
    char path[4096];
    char *text;
    size_t len;
};

static int open_body(lua_State *L)
{
    struct vm *vm = lua_touserdata(L, 1);

    api_open(L, vm);
    sandbox_open(L);
    sandbox_require(L, "registry");
    return 0;
}

/* Runs a script and hands what it returns to who takes it. */
static int script_body(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);

    sandbox_require(L, script->kind->module);
    lua_getfield(L, -1, script->kind->function);
    if (script->kind->named)
        lua_pushstring(L, script->name);
    lua_pushstring(L, script->path);
    sandbox_compile(L, slice_of(script->text, script->len), script->path);
    lua_call(L, 0, 1);
    lua_call(L, script->kind->named ? 3 : 2, 0);
    return 0;
}

static void seal(lua_State *L, const char *module)
{
    sandbox_require(L, module);
    lua_getfield(L, -1, "seal");
    lua_call(L, 0, 0);
    lua_pop(L, 1);
}

static int seal_body(lua_State *L)
{
    seal(L, "registry");
    seal(L, "health");
    seal(L, "page");
    return 0;
}

/* Reads a whole file; false with errno's reason. */
static bool read_script(struct script *script, struct error *err)
{
    FILE *file = fopen(script->path, "re");
    bool ok;

    if (!file)
        return error_set(err, "%s: %s", script->path, strerror(errno));
    script->text = malloc(SCRIPT_MAX + 1);
    CHECK(script->text);
    script->len = fread(script->text, 1, SCRIPT_MAX + 1, file);
    ok = !ferror(file);
    fclose(file);
    if (!ok)
        return error_set(err, "%s: cannot be read", script->path);
    if (script->len > SCRIPT_MAX)
        return error_set(err, "%s: longer than %d bytes", script->path, SCRIPT_MAX);
    return true;
}

/* file: its name in the folder, with ".lua". */
static bool load_script(struct vm *vm, const struct script_kind *kind, const char *dir,
                        const char *file, struct error *err)
{
    struct script script = {.kind = kind};
    bool ok;

    snprintf(script.name, sizeof(script.name), "%.*s", (int)(strlen(file) - strlen(".lua")), file);
    snprintf(script.path, sizeof(script.path), "%s/%s/%s", dir, kind->folder, file);
    ok = read_script(&script, err) &&
         vm_run(vm, NULL, script_body, &script, vm->control->settings->script_load_ms, err);
    free(script.text);
    return ok;
}

static int is_lua(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0;
}

/* Loads all scripts of a kind, at least one. */
static bool load_folder(struct vm *vm, const struct script_kind *kind, const char *dir,
                        struct error *err)
{
    char path[4096];
    struct dirent **entries;
    bool ok = true;
    int count;

    snprintf(path, sizeof(path), "%s/%s", dir, kind->folder);
    count = scandir(path, &entries, is_lua, alphasort);
    if (count < 0)
        return error_set(err, "%s: %s; name the directory of the scripts by --scripts", path,
                         strerror(errno));
    for (int i = 0; i < count; i++) {
        ok = ok && load_script(vm, kind, dir, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    if (ok && count == 0)
        return error_set(err, "%s: there is no script in it", path);
    return ok;
}

/* A script that need not be there. */
static bool load_optional(struct vm *vm, const struct script_kind *kind, const char *dir,
                          const char *file, struct error *err)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s/%s", dir, kind->folder, file);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    return load_script(vm, kind, dir, file, err);
}

/* The names of the health policies, for C; results of health.names(). */
static int list_policies_body(lua_State *L)
{
    struct vm *vm = lua_touserdata(L, 1);
    int count;

    sandbox_require(L, "health");
    lua_getfield(L, -1, "names");
    lua_call(L, 0, 1);
    count = (int)lua_objlen(L, -1);
    for (int i = 1; i <= count; i++) {
        struct vm_policy *policy;

        lua_rawgeti(L, -1, i);
        policy = calloc(1, sizeof(*policy));
        CHECK(policy);
        snprintf(policy->name, sizeof(policy->name), "%s", lua_tostring(L, -1));
        list_push_back(&vm->policies, &policy->link);
        lua_pop(L, 1);
    }
    return 0;
}

static bool load_policies(struct vm *vm, const char *dir, struct error *err)
{
    if (!load_folder(vm, &policies, dir, err) ||
        !vm_run(vm, NULL, list_policies_body, vm, vm->control->settings->script_load_ms, err))
        return false;
    if (!vm_has_policy(vm, "default"))
        return error_set(err,
                         "%s/health/default.lua: is missing; it holds for every route without "
                         "the option health_policy",
                         dir);
    return true;
}

bool vm_load(struct vm *vm, const char *dir, struct error *err)
{
    return vm_run(vm, NULL, open_body, vm, vm->control->settings->script_load_ms, err) &&
           load_folder(vm, &commands, dir, err) &&
           load_optional(vm, &hooks, dir, "authorize.lua", err) &&
           load_optional(vm, &pages, dir, "page.lua", err) && load_policies(vm, dir, err) &&
           vm_run(vm, NULL, seal_body, NULL, vm->control->settings->script_load_ms, err);
}
