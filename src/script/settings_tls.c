#include "script/settings_tls.h"

#include "base/need.h"
#include "control/backend_tls.h"
#include "script/api.h"

#include <lauxlib.h>
#include <stdlib.h>

static int host_tls_authorities(lua_State *L)
{
    struct error err;

    if (backend_tls_try_authorities(luaL_checkstring(L, 1), &err))
        return api_true(L);
    return api_refuse(L, err.text);
}

static int host_tls_certificate(lua_State *L)
{
    struct error err;

    if (backend_tls_try_certificate(luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err))
        return api_true(L);
    return api_refuse(L, err.text);
}

void settings_tls_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"tls_authorities", host_tls_authorities},
        {"tls_certificate", host_tls_certificate},
        {NULL, NULL},
    };

    luaL_setfuncs(L, functions, 0);
}

/* A copy of a text of the table at the top, NULL when it is not set. */
static char *text_of(lua_State *L, const char *key)
{
    const char *text;
    char *copy = NULL;

    lua_getfield(L, -1, key);
    text = lua_tostring(L, -1);
    if (text) {
        copy = need_text(text);
    }
    lua_pop(L, 1);
    return copy;
}

/* Pushes the list of a path; false and nothing pushed when it is not set. */
static bool push_entries(lua_State *L, const char *path, unsigned *count)
{
    lua_getfield(L, -1, path);
    *count = lua_istable(L, -1) ? (unsigned)lua_objlen(L, -1) : 0;
    if (lua_istable(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static void *new_array(unsigned count, size_t size)
{
    void *array = need_zeroed(count + 1, size);

    return array;
}

static void fill_authorities(lua_State *L, struct settings *s)
{
    unsigned count;

    if (!push_entries(L, "backend_tls.authorities", &count))
        return;
    s->tls_authorities = new_array(count, sizeof(*s->tls_authorities));
    for (; s->tls_authority_count < count; s->tls_authority_count++) {
        lua_rawgeti(L, -1, (int)s->tls_authority_count + 1);
        s->tls_authorities[s->tls_authority_count] =
            (struct tls_authority){text_of(L, "name"), text_of(L, "file")};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void fill_certificates(lua_State *L, struct settings *s)
{
    unsigned count;

    if (!push_entries(L, "backend_tls.certificates", &count))
        return;
    s->tls_certificates = new_array(count, sizeof(*s->tls_certificates));
    for (; s->tls_certificate_count < count; s->tls_certificate_count++) {
        lua_rawgeti(L, -1, (int)s->tls_certificate_count + 1);
        s->tls_certificates[s->tls_certificate_count] =
            (struct tls_certificate){text_of(L, "name"), text_of(L, "certificate"), text_of(L, "key")};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void fill_services(lua_State *L, struct settings *s)
{
    unsigned count;

    s->registry_services_set = push_entries(L, "registry_tls.services", &count);
    if (!s->registry_services_set)
        return;
    s->registry_services = new_array(count, sizeof(*s->registry_services));
    for (; s->registry_service_count < count; s->registry_service_count++) {
        lua_rawgeti(L, -1, (int)s->registry_service_count + 1);
        s->registry_services[s->registry_service_count] =
            (struct registry_service){text_of(L, "name"), text_of(L, "service")};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void fill_registry(lua_State *L, struct settings *s)
{
    static const char *const modes[] = {
        [CLIENT_CERTIFICATES_OFF] = "off",
        [CLIENT_CERTIFICATES_OPTIONAL] = "optional",
        [CLIENT_CERTIFICATES_REQUIRED] = "required",
    };
    char *listen = text_of(L, "registry_tls.listen");
    char *mode = text_of(L, "registry_tls.client_certificates");

    CHECK(mode);
    s->registry_tls_on = listen != NULL;
    CHECK(!listen || address_parse(slice_str(listen), &s->registry_tls) == 0);
    while (strcmp(modes[s->client_certificates], mode) != 0)
        CHECK(++s->client_certificates <= CLIENT_CERTIFICATES_REQUIRED);
    s->registry_certificate = text_of(L, "registry_tls.certificate");
    s->registry_key = text_of(L, "registry_tls.key");
    s->registry_client_ca = text_of(L, "registry_tls.client_ca");
    free(listen);
    free(mode);
}

void settings_fill_tls(lua_State *L, struct settings *s)
{
    fill_authorities(L, s);
    fill_certificates(L, s);
    fill_services(L, s);
    fill_registry(L, s);
}
