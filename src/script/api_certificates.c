/* Methods of a connection's handle about TLS with clients: the certificates in force, and handshakes. */
#include "control/certificates.h"
#include "control/connection.h"
#include "control/control.h"
#include "script/api.h"

#include <lauxlib.h>

static void push_certificate(lua_State *L, const struct certificate_status *one)
{
    lua_createtable(L, 0, 9);
    api_set_text(L, "file", one->file);
    api_set_text(L, "key", one->key);
    api_set_text(L, "fingerprint", one->fingerprint);
    api_set_number(L, "not_before_ms", (double)one->not_before_ms);
    api_set_number(L, "not_after_ms", (double)one->not_after_ms);
    api_set_number(L, "days_left", one->days_left);
    api_set_flag(L, "stapled", one->stapled);
    if (one->stapled_until_ms)
        api_set_number(L, "stapled_until_ms", (double)one->stapled_until_ms);
    api_push_texts(L, one->names, one->name_count);
    lua_setfield(L, -2, "names");
}

/* conn:certificates(): a list, in the order of the configuration. */
static int conn_certificates(lua_State *L)
{
    const struct control *c = api_connection(L, 1)->control;
    struct certificate_status one;

    lua_newtable(L);
    for (unsigned i = 0; certificates_status(c, i, &one); i++) {
        push_certificate(L, &one);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* conn:handshakes(): counts over all workers since the start. */
static int conn_handshakes(lua_State *L)
{
    const struct control *c = api_connection(L, 1)->control;
    struct worker_counts sum;

    control_count(c, &sum);
    lua_createtable(L, 0, 3);
    api_set_number(L, "done", (double)sum.handshakes);
    api_set_number(L, "resumed", (double)sum.resumed);
    api_set_number(L, "failed", (double)sum.handshakes_failed);
    return 1;
}

static const luaL_Reg methods[] = {
    {"certificates", conn_certificates},
    {"handshakes", conn_handshakes},
    {NULL, NULL},
};

void api_certificates_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
