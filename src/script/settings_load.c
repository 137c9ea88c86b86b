#include "script/settings_load.h"

#include "base/file_error.h"
#include "base/need.h"
#include "control/config_check.h"
#include "control/config_set.h"
#include "http/media_type.h"
#include "script/api.h"
#include "script/sandbox.h"
#include "script/settings_fill.h"
#include "script/settings_tls.h"
#include "script/vm.h"
#include "script/vm_call.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 4 * 1024 * 1024, BUDGET_MS = 2000 };

/* One load of a configuration. */
struct load {
    const char *path; /* for messages */
    char *text;       /* of the file */
    size_t len;
    struct settings *settings;
    struct config_set *routes;
    FILE *problems;    /* to a text in memory */
    struct error stop; /* why the file stopped to run; "" when it did not */
};

/* ---- host, for lua/config */

static int push_test(lua_State *L, bool holds)
{
    lua_pushboolean(L, holds);
    return 1;
}

static int host_is_address(lua_State *L)
{
    struct address parsed;

    return push_test(L, address_parse(api_slice(L, 1), &parsed) == 0);
}

static int host_is_directory(lua_State *L)
{
    struct stat found;

    return push_test(L, stat(luaL_checkstring(L, 1), &found) == 0 && S_ISDIR(found.st_mode));
}

static int host_is_ip(lua_State *L)
{
    struct address parsed;

    return push_test(L, address_parse_ip(api_slice(L, 1), 0, &parsed) == 0);
}

static int host_is_cidr(lua_State *L)
{
    struct cidr parsed;

    return push_test(L, cidr_parse(api_slice(L, 1), &parsed) == 0);
}

static int host_is_type_pattern(lua_State *L)
{
    return push_test(L, media_type_is_pattern(api_slice(L, 1)));
}

static int host_setting_check(lua_State *L)
{
    struct slice name = api_slice(L, 1), key = api_slice(L, 2), value = api_slice(L, 3);
    enum scope scope = SCOPE_ROUTES;
    struct error err;

    while (scope < SCOPES && !slice_eq(name, slice_str(scope_names[scope])))
        scope++;
    if (config_check_setting(scope, key, value, &err))
        return api_true(L);
    return api_refuse(L, err.text);
}

/* Lua quotes the text at which it stumbled, which may be a token or a password: this message is logged. */
static void forget_text(char *message, size_t size)
{
    static const char near[] = " near '";
    char *at = strstr(message, near);

    if (at && strchr("\"'[", at[sizeof(near) - 1]) && at[sizeof(near) - 1])
        snprintf(at, (size_t)(message + size - at), " near a text");
}

/* host.run(text, env): compiles and calls the file's text. true, what it returned; or nil, message.
 */
static int host_run(lua_State *L)
{
    struct load *load = lua_touserdata(L, lua_upvalueindex(1));
    struct slice text = api_slice(L, 1);
    int status;

    luaL_checktype(L, 2, LUA_TTABLE);
    status = luaL_loadbufferx(L, text.data, text.len, "=config", "t");
    if (!status) {
        lua_pushvalue(L, 2);
        lua_setfenv(L, -2);
        status = lua_pcall(L, 0, 1, 0);
    }
    if (!status) {
        lua_pushboolean(L, 1);
        lua_insert(L, -2);
        return 2;
    }
    lua_gc(L, LUA_GCCOLLECT, 0);
    if (lua_type(L, -1) != LUA_TSTRING)
        return api_refuse(L, "an error that is not a text");
    error_set(&load->stop, "%s", lua_tostring(L, -1));
    if (status == LUA_ERRSYNTAX)
        forget_text(load->stop.text, sizeof(load->stop.text));
    return api_refuse(L, load->stop.text);
}

static void push_host(lua_State *L, struct load *load)
{
    static const luaL_Reg functions[] = {
        {"is_address", host_is_address},       {"is_ip", host_is_ip}, {"is_cidr", host_is_cidr},
        {"is_directory", host_is_directory},
        {"setting_check", host_setting_check}, {"is_type_pattern", host_is_type_pattern},
        {NULL, NULL},
    };

    lua_newtable(L);
    api_host_open(L);
    luaL_setfuncs(L, functions, 0);
    settings_tls_open(L);
    lua_pushlightuserdata(L, load);
    lua_pushcclosure(L, host_run, 1);
    lua_setfield(L, -2, "run");
}

/* ---- loading */

/* Reads the file into load->text; false with the reason in load->problems. */
static bool read_file(struct load *load)
{
    FILE *file = fopen(load->path, "re");
    char why[FILE_ERROR_SIZE];
    bool ok;

    if (!file) {
        fprintf(load->problems, "%s: %s", load->path, file_error(load->path, errno, why));
        return false;
    }
    load->text = need(FILE_MAX + 1);
    load->len = fread(load->text, 1, FILE_MAX + 1, file);
    ok = !ferror(file) && load->len <= FILE_MAX;
    if (!ok)
        fprintf(load->problems, "%s: %s", load->path,
                ferror(file) ? strerror(errno) : "is longer than 4 MiB");
    fclose(file);
    return ok;
}

/* config.load(text, path): its result into settings and routes, or its problems. */
static int load_body(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);

    push_host(L, load);
    sandbox_open(L);
    sandbox_require(L, "config");
    lua_getfield(L, -1, "load");
    lua_pushlstring(L, load->text ? load->text : "", load->len);
    lua_pushstring(L, load->path);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) {
        fprintf(load->problems, "%s", luaL_checkstring(L, -1));
        return 0;
    }
    lua_settop(L, 3);
    lua_getfield(L, 3, "settings");
    settings_fill(L, load->settings);
    lua_getfield(L, 3, "line_of");
    lua_getfield(L, 3, "static_routes");
    settings_fill_routes(L, load->routes, lua_gettop(L) - 1, load->path, load->problems);
    return 0;
}

/* The line of "config:7: ...", 1 when there is none. */
static int stop_line(const char *text)
{
    static const char prefix[] = "config:";
    int line = strncmp(text, prefix, sizeof(prefix) - 1) ? 1 : atoi(text + sizeof(prefix) - 1);

    return line > 0 ? line : 1;
}

static void run(struct load *load)
{
    struct vm_limits limits;
    lua_State *L = vm_state_new(&limits, VM_MEMORY);
    struct error err;

    if (!L) {
        fprintf(load->problems, "%s: out of memory", load->path);
        return;
    }
    limits.block_max = limits.cap; /* the operator's own file may be one long text */
    limits.cpu_time = true;        /* a busy machine is no fault of the file's */
    if (!vm_call(L, NULL, load_body, load, BUDGET_MS, &err)) {
        if (limits.expired)
            fprintf(load->problems,
                    "%s:%d: runs for more than %d s; the file is data, no loop is needed",
                    load->path, stop_line(load->stop.text), BUDGET_MS / 1000);
        else
            fprintf(load->problems, "%s: cannot be read: %s", load->path, err.text);
    }
    vm_state_close(L);
}

struct settings *settings_load(const char *path, struct config_set **static_routes, char **problems)
{
    struct load load = {.path = path ? path : "no configuration file"};
    size_t len = 0;

    ASSERT_CONTROL();
    *problems = NULL;
    load.problems = need_stream(problems, &len);
    load.settings = settings_new();
    load.routes = config_set_new();
    if (!path || read_file(&load))
        run(&load);
    fclose(load.problems);
    free(load.text);
    if (len == 0) {
        free(*problems);
        *problems = NULL;
        *static_routes = load.routes;
        return load.settings;
    }
    config_set_free(load.routes);
    settings_unref(load.settings);
    return NULL;
}
