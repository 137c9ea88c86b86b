#include "script/api_packed.h"

#include "control/connection.h"
#include "script/vm_call.h"

#include <lauxlib.h>
#include <zlib.h>

enum {
    GZIP_WINDOW = 15 + 16,
    GZIP_MAX = REGISTRY_COMPRESSED_MAX / 4 * 3, /* bytes that base64 makes an answer's most of */
    PIECE = 16 * 1024                           /* bytes that are packed in one go */
};

static void push_base64(lua_State *L, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = lua_newuserdata(L, count / 3 * 4 + 4);
    size_t len = 0;

    for (size_t i = 0; i < count; i += 3) {
        size_t have = count - i;
        uint32_t group = (uint32_t)bytes[i] << 16 | (have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (have > 2 ? bytes[i + 2] : 0);

        out[len++] = digits[group >> 18];
        out[len++] = digits[group >> 12 & 63];
        out[len++] = have > 1 ? digits[group >> 6 & 63] : '=';
        out[len++] = have > 2 ? digits[group & 63] : '=';
    }
    lua_pushlstring(L, out, len);
}

/* Packs piece by piece, as long as there is time. Z_STREAM_END: all is in out. */
static int deflate_all(lua_State *L, z_stream *z, struct slice text)
{
    int status = Z_OK;

    z->next_in = (Bytef *)text.data;
    while (status == Z_OK && z->avail_out && !vm_expired(L)) {
        size_t left = text.len - (size_t)((const char *)z->next_in - text.data);

        z->avail_in = left < PIECE ? (uInt)left : PIECE;
        status = deflate(z, left <= PIECE ? Z_FINISH : Z_NO_FLUSH);
    }
    return status;
}

void api_push_packed(lua_State *L, struct slice text)
{
    size_t room = compressBound(text.len) + 32;
    z_stream z = {0};
    uint8_t *out;
    int status;

    room = room < GZIP_MAX ? room : GZIP_MAX;
    out = lua_newuserdata(L, room);
    z.next_out = out;
    z.avail_out = (uInt)room;
    status =
        deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);
    if (status == Z_OK) {
        status = deflate_all(L, &z, text);
        deflateEnd(&z);
    }
    if (status == Z_STREAM_END)
        push_base64(L, out, z.total_out);
    else if (status == Z_OK && !z.avail_out)
        lua_pushboolean(L, 0);
    else
        luaL_error(L, "packing failed (%d)", status);
}
