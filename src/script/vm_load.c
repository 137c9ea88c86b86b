#include "script/vm_load.h"

#include "script/api.h"
#include "script/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCRIPT_MAX = 1024 * 1024 };

/* One script on its way into the VM. */
struct script {
    const char *path;
    char *text;
    size_t len;
    const char *module; /* of the library, that takes what it returns */
    const char *hook;   /* the hook's name, NULL for anything else */
};

static int open_body(lua_State *L)
{
    struct vm *vm = lua_touserdata(L, 1);

    api_open(L, vm);
    sandbox_open(L);
    sandbox_require(L, "registry");
    return 0;
}

/* Runs a script and hands what it returns to its module's define or hook. */
static int script_body(lua_State *L)
{
    struct script *script = lua_touserdata(L, 1);

    sandbox_require(L, script->module);
    lua_getfield(L, -1, script->hook ? "hook" : "define");
    if (script->hook)
        lua_pushstring(L, script->hook);
    lua_pushstring(L, script->path);
    sandbox_compile(L, slice_of(script->text, script->len), script->path);
    lua_call(L, 0, 1);
    lua_call(L, script->hook ? 3 : 2, 0);
    return 0;
}

static int seal_body(lua_State *L)
{
    static const char *const modules[] = {"registry", "page"};

    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        sandbox_require(L, modules[i]);
        lua_getfield(L, -1, "seal");
        lua_call(L, 0, 0);
    }
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

static bool load_script(struct vm *vm, const char *path, const char *module, const char *hook,
                        struct error *err)
{
    struct script script = {.path = path, .module = module, .hook = hook};
    bool ok = read_script(&script, err) &&
              vm_call(vm->L, NULL, script_body, &script, BUDGET_LOAD_MS, err);

    free(script.text);
    return ok;
}

static int is_lua(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0;
}

static bool load_commands(struct vm *vm, const char *dir, struct error *err)
{
    char path[4096];
    struct dirent **entries;
    bool ok = true;
    int count;

    snprintf(path, sizeof(path), "%s/commands", dir);
    count = scandir(path, &entries, is_lua, alphasort);
    if (count < 0)
        return error_set(err, "%s: %s; name the directory of the scripts by --scripts", path,
                         strerror(errno));
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/commands/%s", dir, entries[i]->d_name);
        ok = ok && load_script(vm, path, "registry", NULL, err);
        free(entries[i]);
    }
    free(entries);
    if (ok && count == 0)
        return error_set(err, "%s/commands: there is no script in it", dir);
    return ok;
}

/* The hook that decides who may run what; without the file everybody may. */
static bool load_hooks(struct vm *vm, const char *dir, struct error *err)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/hooks/authorize.lua", dir);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    return load_script(vm, path, "registry", "authorize", err);
}

/* What makes the proxy's own pages; without the file they are the built-in ones. */
static bool load_page(struct vm *vm, const char *dir, struct error *err)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/maintenance/page.lua", dir);
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true;
    return load_script(vm, path, "page", NULL, err);
}

bool vm_load(struct vm *vm, const char *dir, struct error *err)
{
    return vm_call(vm->L, NULL, open_body, vm, BUDGET_LOAD_MS, err) &&
           load_commands(vm, dir, err) && load_hooks(vm, dir, err) && load_page(vm, dir, err) &&
           vm_call(vm->L, NULL, seal_body, NULL, BUDGET_LOAD_MS, err);
}
