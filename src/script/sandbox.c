#include "script/sandbox.h"

#include "base/check.h"
#include "base/random.h"
#include "script/lib_base.h"
#include "script/lib_string.h"
#include "script/lib_table.h"
#include "script/library.h"

#include <lauxlib.h>
#include <lualib.h>

/* Keys into the Lua registry, by address. */
static char library_env_key, loaded_key;

/* What scripts see of each library, and require. */
static const char *const base_names[] = {"assert", "error",  "getmetatable", "ipairs",   "next",
                                         "pairs",  "pcall",  "print",        "rawequal", "rawget",
                                         "rawset", "select", "setmetatable", "tonumber", "tostring",
                                         "type",   "unpack", "xpcall",       NULL};
static const char *const string_names[] = {"byte",    "char", "find",  "format", "gmatch",
                                           "gsub",    "len",  "lower", "match",  "rep",
                                           "reverse", "sub",  "upper", NULL};
static const char *const table_names[] = {"concat", "insert", "maxn", "remove", "sort", NULL};
static const char *const os_names[] = {"clock", "date", "time", NULL};
static const char *const math_names[] = {
    "abs",   "acos", "asin",  "atan",   "atan2", "ceil", "cos",   "cosh", "deg",  "exp",
    "floor", "fmod", "frexp", "huge",   "ldexp", "log",  "log10", "max",  "min",  "modf",
    "pi",    "pow",  "rad",   "random", "sin",   "sinh", "sqrt",  "tan",  "tanh", NULL};
static const char *const bit_names[] = {"arshift", "band",   "bnot", "bor", "bswap",
                                        "bxor",    "lshift", "rol",  "ror", "rshift",
                                        "tobit",   "tohex",  NULL};

static const char *const host_names[] = {
    "event_known", "option_check",  "option_find", "options",     "policies",
    "now_ms",      "base64_decode", "sha256",      "same_secret", NULL};
static const char *const health_names[] = {"known", "names", NULL};

/* The modules that scripts may require; fields: those of it that they see, NULL for all. */
static const struct public_module {
    const char *name;
    const char *const *fields;
} public_modules[] = {{"check", NULL},  {"health", health_names}, {"host", host_names},
                      {"json", NULL},   {"page.html", NULL},      {"registry.reply", NULL},
                      {"setting", NULL}};

static const struct {
    const char *name;
    const char *const *functions;
} libraries[] = {{"string", string_names},
                 {"table", table_names},
                 {"os", os_names},
                 {"math", math_names},
                 {"bit", bit_names}};

/* Pushes a table with the named fields of the one at the top, in its place. */
static void keep_fields(lua_State *L, const char *const *names)
{
    lua_newtable(L);
    for (; *names; names++) {
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
    lua_remove(L, -2);
}

/* Pushes a new table of everything on the allow-list. */
static void push_globals(lua_State *L)
{
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    keep_fields(L, base_names);
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        lua_getglobal(L, libraries[i].name);
        keep_fields(L, libraries[i].functions);
        lua_setfield(L, -2, libraries[i].name);
    }
}

/* Numbers that nobody can foresee from another VM's. */
static void seed_random(lua_State *L)
{
    uint32_t seed;

    random_secure(&seed, sizeof(seed));
    lua_getglobal(L, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushnumber(L, seed);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

static void open_library(lua_State *L, lua_CFunction open, const char *name)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

/* Puts bounded functions in the place of Lua's own. */
static void bound_libraries(lua_State *L)
{
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    lib_base_open(L);
    lua_getfield(L, -1, "string");
    lib_string_open(L);
    lua_getfield(L, -2, "table");
    lib_table_open(L);
    lua_pop(L, 3);
}

/* Methods of strings find the same functions, and nobody gets at the table behind them. */
static void lock_strings(lua_State *L)
{
    lua_pushliteral(L, "");
    CHECK(lua_getmetatable(L, -1));
    lua_getglobal(L, "string");
    keep_fields(L, string_names);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

/* Makes the table at the top refuse names that it does not have. */
static void seal(lua_State *L)
{
    sandbox_require(L, "strict");
    lua_getfield(L, -1, "seal");
    lua_pushvalue(L, -3);
    lua_pushliteral(L, "global");
    lua_pushboolean(L, 1);
    lua_call(L, 3, 0);
    lua_pop(L, 1);
}

static int library_require(lua_State *L)
{
    sandbox_require(L, luaL_checkstring(L, 1));
    return 1;
}

void sandbox_open(lua_State *L)
{
    open_library(L, luaopen_base, "");
    open_library(L, luaopen_string, LUA_STRLIBNAME);
    open_library(L, luaopen_table, LUA_TABLIBNAME);
    open_library(L, luaopen_math, LUA_MATHLIBNAME);
    open_library(L, luaopen_os, LUA_OSLIBNAME);
    open_library(L, luaopen_bit, LUA_BITLIBNAME);
    seed_random(L);
    bound_libraries(L);
    lock_strings(L);
    lua_pushlightuserdata(L, &loaded_key);
    lua_newtable(L);
    lua_rawset(L, LUA_REGISTRYINDEX);
    lua_pushlightuserdata(L, &library_env_key);
    push_globals(L);
    lua_pushcfunction(L, library_require);
    lua_setfield(L, -2, "require");
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "host");
    lua_rawset(L, LUA_REGISTRYINDEX);
    lua_pop(L, 1);
    lua_pushlightuserdata(L, &library_env_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    seal(L);
    lua_pop(L, 1);
}

/* Compiles text, pushes the function. chunk: "@file". */
static void compile(lua_State *L, const char *text, size_t len, const char *chunk)
{
    if (len && text[0] == LUA_SIGNATURE[0])
        luaL_error(L, "%s: is compiled; scripts have to be text", chunk + 1);
    if (luaL_loadbufferx(L, text, len, chunk, "t"))
        lua_error(L);
}

/* Compiles a library file and pushes what it returns. */
static void run_library_file(lua_State *L, const struct library_file *file)
{
    lua_pushfstring(L, "@%s", file->path);
    compile(L, file->text, file->len, lua_tostring(L, -1));
    lua_pushlightuserdata(L, &library_env_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_setfenv(L, -2);
    lua_call(L, 0, 1);
    lua_remove(L, -2);
    if (lua_isnil(L, -1))
        luaL_error(L, "%s returns nothing", file->path);
}

static const struct library_file *find_file(lua_State *L, const char *module)
{
    size_t len = strlen(module);

    for (size_t i = 0; i < library_file_count; i++) {
        const char *name = library_files[i].name;

        if (strncmp(name, module, len) == 0 && (!name[len] || strcmp(name + len, ".init") == 0))
            return &library_files[i];
    }
    luaL_error(L, "there is no library module %s; files cannot be loaded", module);
    return NULL;
}

void sandbox_require(lua_State *L, const char *module)
{
    lua_pushlightuserdata(L, &loaded_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, module);
    if (lua_isboolean(L, -1))
        luaL_error(L, "%s requires itself", module);
    if (lua_isnil(L, -1)) {
        const struct library_file *file = find_file(L, module);

        lua_pop(L, 1);
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, module);
        run_library_file(L, file);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, module);
    }
    lua_remove(L, -2);
}

static const struct public_module *find_public(lua_State *L, const char *name)
{
    for (size_t i = 0; i < sizeof(public_modules) / sizeof(public_modules[0]); i++) {
        if (strcmp(public_modules[i].name, name) == 0)
            return &public_modules[i];
    }
    luaL_error(L, "there is no library module %s for scripts; files cannot be loaded", name);
    return NULL;
}

/* Puts a copy in the place of the table at the top, of all tables in it too; the metatable, which
 * nobody reaches, is the same. */
static void copy_table(lua_State *L)
{
    luaL_checkstack(L, 8, "module");
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, -3)) {
        if (lua_istable(L, -1))
            copy_table(L);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    if (lua_getmetatable(L, -2))
        lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

/* Every script has copies of the modules, so that none can change another's. Upvalue: those that it
 * has. */
static int script_require(lua_State *L)
{
    const struct public_module *module = find_public(L, luaL_checkstring(L, 1));

    lua_getfield(L, lua_upvalueindex(1), module->name);
    if (!lua_isnil(L, -1))
        return 1;
    sandbox_require(L, module->name);
    if (module->fields) {
        lua_pushvalue(L, -1);
        keep_fields(L, module->fields);
    } else {
        copy_table(L);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(1), module->name);
    return 1;
}

void sandbox_compile(lua_State *L, struct slice text, const char *name)
{
    lua_pushfstring(L, "@%s", name);
    compile(L, text.data, text.len, lua_tostring(L, -1));
    push_globals(L);
    lua_newtable(L);
    lua_pushcclosure(L, script_require, 1);
    lua_setfield(L, -2, "require");
    seal(L);
    lua_setfenv(L, -2);
    lua_remove(L, -2);
}
