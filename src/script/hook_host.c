/* host: what only the request policies' VM has. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/secret.h"
#include "script/api.h"
#include "script/hook_state.h"

#include <lauxlib.h>

static int host_now_ms(lua_State *L)
{
    const struct hook_exchange *ex = hook_vm_of(L)->exchange;
    bool given = ex && ex->given && ex->given->wall_ms;

    lua_pushnumber(L, (lua_Number)(given ? ex->given->wall_ms : clock_wall_ms()));
    return 1;
}

/* The value of a digit of base64, or -1. */
static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int host_base64_decode(lua_State *L)
{
    struct slice in = api_slice(L, 1);
    unsigned bits = 0, have = 0;
    luaL_Buffer out;

    while (in.len && in.data[in.len - 1] == '=')
        in.len--;
    luaL_buffinit(L, &out);
    for (size_t i = 0; i < in.len; i++) {
        int value = digit(in.data[i]);

        if (value < 0) {
            lua_pushnil(L);
            return 1;
        }
        bits = (bits << 6 | (unsigned)value) & 0xffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            luaL_addchar(&out, (char)(bits >> have & 0xff));
        }
    }
    luaL_pushresult(&out);
    return 1;
}

static int host_sha256(lua_State *L)
{
    struct slice text = api_slice(L, 1);
    uint8_t digest[DIGEST_SHA256_SIZE];
    char hex[2 * DIGEST_SHA256_SIZE + 1];

    digest_sha256(text.data, text.len, digest);
    for (int i = 0; i < DIGEST_SHA256_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return hook_push(L, slice_str(hex));
}

static int host_same_secret(lua_State *L)
{
    lua_pushboolean(L, secret_equal(api_slice(L, 1), api_slice(L, 2)));
    return 1;
}

static const luaL_Reg functions[] = {
    {"now_ms", host_now_ms},
    {"base64_decode", host_base64_decode},
    {"sha256", host_sha256},
    {"same_secret", host_same_secret},
    {NULL, NULL},
};

void hook_host_open(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
