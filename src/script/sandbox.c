#include "script/sandbox.h"

#include "base/check.h"
#include "base/log.h"
#include "script/library.h"

#include <lauxlib.h>
#include <lualib.h>

enum { REP_MAX = 1024 * 1024 }; /* bytes that string.rep may make: it cannot be interrupted */

/* Keys into the Lua registry, by address. */
static char library_env_key, loaded_key;

/* What scripts see of each library; table.move and string.rep as they come could run for ever. */
static const char *const base_names[] = {"assert",   "error",    "ipairs", "next",         "pairs",
                                         "pcall",    "rawequal", "rawget", "rawset",       "select",
                                         "tonumber", "tostring", "unpack", "setmetatable", "type",
                                         "xpcall",   NULL};
static const char *const string_names[] = {"byte", "char",  "find",  "format", "gmatch",
                                           "gsub", "len",   "lower", "match",  "reverse",
                                           "sub",  "upper", NULL};
static const char *const table_names[] = {"concat", "insert", "maxn", "remove", "sort", NULL};
static const char *const os_names[] = {"clock", "date", "time", NULL};
static const char *const math_names[] = {
    "abs",   "acos", "asin",  "atan",   "atan2", "ceil", "cos",   "cosh", "deg",  "exp",
    "floor", "fmod", "frexp", "huge",   "ldexp", "log",  "log10", "max",  "min",  "modf",
    "pi",    "pow",  "rad",   "random", "sin",   "sinh", "sqrt",  "tan",  "tanh", NULL};
static const char *const bit_names[] = {"arshift", "band",   "bnot", "bor", "bswap",
                                        "bxor",    "lshift", "rol",  "ror", "rshift",
                                        "tobit",   "tohex",  NULL};

static const struct {
    const char *name;
    const char *const *functions;
} libraries[] = {{"string", string_names},
                 {"table", table_names},
                 {"os", os_names},
                 {"math", math_names},
                 {"bit", bit_names}};

static int string_rep(lua_State *L)
{
    size_t len, sep_len;
    lua_Number times = luaL_checknumber(L, 2);

    luaL_checklstring(L, 1, &len);
    luaL_optlstring(L, 3, "", &sep_len);
    if (times > 0 && (lua_Number)(len + sep_len) * times > REP_MAX)
        return luaL_error(L, "string.rep: would be longer than %d bytes", REP_MAX);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* Of tables only, so that nobody reaches the tables behind strings and handles. */
static int table_metatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!luaL_getmetafield(L, 1, "__metatable") && !lua_getmetatable(L, 1))
        lua_pushnil(L);
    return 1;
}

static int print_to_log(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer buffer;

    for (int i = 1; i <= count; i++) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, i);
        lua_call(L, 1, 1);
        lua_replace(L, i);
        if (!lua_isstring(L, i))
            return luaL_error(L, "tostring has to return a string");
    }
    luaL_buffinit(L, &buffer);
    for (int i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&buffer, ' ');
        lua_pushvalue(L, i);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    log_write(LOG_INFO, "script says", "text=%s", lua_tostring(L, -1));
    return 0;
}

static int require(lua_State *L)
{
    sandbox_require(L, luaL_checkstring(L, 1));
    return 1;
}

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
    lua_getfield(L, -1, "string");
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "rep");
    lua_setfield(L, -3, "rep");
    lua_pop(L, 2);
    lua_getglobal(L, "tostring");
    lua_pushcclosure(L, print_to_log, 1);
    lua_setfield(L, -2, "print");
    lua_pushcfunction(L, table_metatable);
    lua_setfield(L, -2, "getmetatable");
    lua_pushcfunction(L, require);
    lua_setfield(L, -2, "require");
}

static void open_library(lua_State *L, lua_CFunction open, const char *name)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, name);
    lua_call(L, 1, 0);
}

/* Methods of strings find the bounded functions too, and nobody gets at the table behind them. */
static void lock_strings(lua_State *L)
{
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "rep");
    lua_pushcclosure(L, string_rep, 1);
    lua_setfield(L, -2, "rep");
    keep_fields(L, string_names);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "rep");
    lua_setfield(L, -3, "rep");
    lua_pop(L, 1);
    lua_pushliteral(L, "");
    CHECK(lua_getmetatable(L, -1));
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 3);
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

void sandbox_open(lua_State *L)
{
    open_library(L, luaopen_base, "");
    open_library(L, luaopen_string, LUA_STRLIBNAME);
    open_library(L, luaopen_table, LUA_TABLIBNAME);
    open_library(L, luaopen_math, LUA_MATHLIBNAME);
    open_library(L, luaopen_os, LUA_OSLIBNAME);
    open_library(L, luaopen_bit, LUA_BITLIBNAME);
    lock_strings(L);
    lua_pushlightuserdata(L, &loaded_key);
    lua_newtable(L);
    lua_rawset(L, LUA_REGISTRYINDEX);
    lua_pushlightuserdata(L, &library_env_key);
    push_globals(L);
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

void sandbox_compile(lua_State *L, struct slice text, const char *name)
{
    lua_pushfstring(L, "@%s", name);
    compile(L, text.data, text.len, lua_tostring(L, -1));
    push_globals(L);
    seal(L);
    lua_setfenv(L, -2);
    lua_remove(L, -2);
}
