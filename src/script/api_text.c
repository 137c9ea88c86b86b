/* host: compression, log, time and the names of the request policies, in the registry's VM. */
#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "control/events.h"
#include "script/api.h"
#include "script/bundle.h"
#include "script/vm_state.h"

#include <lauxlib.h>
#include <string.h>
#include <zlib.h>

enum { TEXT_MAX = 16 * 1024 * 1024, GZIP_WINDOW = 15 + 16 };

static int host_gzip(lua_State *L)
{
    struct slice text = api_slice(L, 1);
    z_stream z = {0};
    size_t bound;
    int status;
    char *out;

    if (text.len > TEXT_MAX)
        return luaL_error(L, "gzip: more than %d bytes", TEXT_MAX);
    bound = compressBound(text.len) + 32;
    out = lua_newuserdata(L, bound);
    status =
        deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);
    if (status == Z_OK) {
        z.next_in = (Bytef *)text.data;
        z.avail_in = (uInt)text.len;
        z.next_out = (Bytef *)out;
        z.avail_out = (uInt)bound;
        status = deflate(&z, Z_FINISH);
        deflateEnd(&z);
    }
    if (status != Z_STREAM_END)
        return luaL_error(L, "gzip: failed (%d)", status);
    lua_pushlstring(L, out, z.total_out);
    return 1;
}

static int host_base64(lua_State *L)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct slice in = api_slice(L, 1);
    const uint8_t *bytes = (const uint8_t *)in.data;
    char *out = lua_newuserdata(L, in.len / 3 * 4 + 4);
    size_t len = 0;

    for (size_t i = 0; i < in.len; i += 3) {
        size_t have = in.len - i;
        uint32_t group = (uint32_t)bytes[i] << 16 | (have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (have > 2 ? bytes[i + 2] : 0);

        out[len++] = digits[group >> 18];
        out[len++] = digits[group >> 12 & 63];
        out[len++] = have > 1 ? digits[group >> 6 & 63] : '=';
        out[len++] = have > 2 ? digits[group & 63] : '=';
    }
    lua_pushlstring(L, out, len);
    return 1;
}

static int host_now_ms(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_wall_ms());
    return 1;
}

static int host_format_time(lua_State *L)
{
    lua_Number ms = luaL_checknumber(L, 1);
    char text[CLOCK_TEXT_SIZE];

    if (!(ms >= 0 && ms < 1e15))
        return luaL_error(L, "format_time: not a time");
    lua_pushlstring(L, text, clock_format_s(text, (uint64_t)ms));
    return 1;
}

static int host_log(lua_State *L)
{
    enum log_level level = LOG_INFO;

    if (!log_level_parse(api_slice(L, 1), &level))
        return luaL_error(L, "log: no such level");
    log_write(level, luaL_checkstring(L, 2), "%s", luaL_optstring(L, 3, ""));
    return 0;
}

static int host_event_known(lua_State *L)
{
    lua_pushboolean(L, event_mask(api_slice(L, 1)) != 0);
    return 1;
}

static bool append_name(const struct bundle_file *file, void *arg)
{
    lua_State *L = arg;
    const char *name = strrchr(file->path, '/') + 1;

    lua_pushlstring(L, name, strlen(name) - strlen(".lua"));
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    return true;
}

static int host_policies(lua_State *L)
{
    lua_newtable(L);
    bundle_each(vm_of(L)->control->bundle, "policies", append_name, L);
    return 1;
}

static const luaL_Reg functions[] = {
    {"gzip", host_gzip},
    {"base64", host_base64},
    {"now_ms", host_now_ms},
    {"format_time", host_format_time},
    {"log", host_log},
    {"event_known", host_event_known},
    {"policies", host_policies},
    {NULL, NULL},
};

void api_text_open(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
