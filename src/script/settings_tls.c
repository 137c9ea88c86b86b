#include "script/settings_tls.h"

#include "base/need.h"
#include "control/backend_tls.h"
#include "script/api.h"
#include "script/settings_get.h"

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

static enum tls_client_certificates client_certificates(lua_State *L, const char *path)
{
    static const char *const asks[] = {[TLS_CLIENT_CERTIFICATES_OFF] = "off",
                                       [TLS_CLIENT_CERTIFICATES_OPTIONAL] = "optional",
                                       [TLS_CLIENT_CERTIFICATES_REQUIRED] = "required"};

    return (enum tls_client_certificates)settings_get_word(L, path, asks, 3);
}

/* The certificate at the top. */
static void fill_pair(lua_State *L, struct tls_pair *pair)
{
    unsigned count;

    pair->certificate = settings_get_text(L, "certificate");
    pair->key = settings_get_text(L, "key");
    pair->ocsp = settings_get_text(L, "ocsp");
    pair->line = (int)settings_get_number(L, "line");
    if (!settings_get_list(L, "names", &count))
        return;
    pair->names = settings_get_room(count, sizeof(*pair->names));
    for (; pair->name_count < count; pair->name_count++)
        pair->names[pair->name_count] = (char *)settings_get_item(L, (int)pair->name_count + 1).data;
    lua_pop(L, 1);
}

/* TLS with clients. */
static void fill_listeners(lua_State *L, struct tls_config *tls)
{
    static const char *const versions[] = {"1.2", "1.3"};
    unsigned count;

    tls->only_13 = settings_get_word(L, "tls.min_version", versions, 2) == 1;
    tls->client_certificates = client_certificates(L, "tls.client_certificates");
    tls->client_ca = settings_get_text(L, "tls.client_ca");
    tls->ticket_rotation_ms = (uint64_t)settings_get_number(L, "tls.ticket_rotation");
    tls->subject_header = slice_str(settings_get_text(L, "tls.subject_header"));
    tls->verify_header = slice_str(settings_get_text(L, "tls.verify_header"));
    tls->default_name = settings_get_text(L, "tls.default");
    tls->refuse_unknown = slice_eq(slice_str(tls->default_name), SLICE("refuse"));
    if (tls->refuse_unknown) {
        free(tls->default_name);
        tls->default_name = NULL;
    }
    if (!settings_get_list(L, "tls.certificates", &count))
        return;
    tls->pairs = settings_get_room(count, sizeof(*tls->pairs));
    for (; tls->pair_count < count; tls->pair_count++) {
        lua_rawgeti(L, -1, (int)tls->pair_count + 1);
        fill_pair(L, &tls->pairs[tls->pair_count]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void fill_authorities(lua_State *L, struct settings *s)
{
    unsigned count;

    if (!settings_get_list(L, "backend_tls.authorities", &count))
        return;
    s->tls_authorities = settings_get_room(count, sizeof(*s->tls_authorities));
    for (; s->tls_authority_count < count; s->tls_authority_count++) {
        lua_rawgeti(L, -1, (int)s->tls_authority_count + 1);
        s->tls_authorities[s->tls_authority_count] =
            (struct tls_authority){settings_get_text(L, "name"), settings_get_text(L, "file")};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The certificate for backends at the top. */
static void fill_own(lua_State *L, struct tls_certificate *own)
{
    unsigned count;

    own->name = settings_get_text(L, "name");
    own->certificate = settings_get_text(L, "certificate");
    own->key = settings_get_text(L, "key");
    own->services_set = settings_get_list(L, "services", &count);
    if (!own->services_set)
        return;
    own->services = settings_get_room(count, sizeof(*own->services));
    for (; own->service_count < count; own->service_count++)
        own->services[own->service_count] = (char *)settings_get_item(L, (int)own->service_count + 1).data;
    lua_pop(L, 1);
}

static void fill_certificates(lua_State *L, struct settings *s)
{
    unsigned count;

    if (!settings_get_list(L, "backend_tls.certificates", &count))
        return;
    s->tls_certificates = settings_get_room(count, sizeof(*s->tls_certificates));
    for (; s->tls_certificate_count < count; s->tls_certificate_count++) {
        lua_rawgeti(L, -1, (int)s->tls_certificate_count + 1);
        fill_own(L, &s->tls_certificates[s->tls_certificate_count]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void fill_services(lua_State *L, struct settings *s)
{
    unsigned count;

    s->registry_services_set = settings_get_list(L, "registry_tls.services", &count);
    if (!s->registry_services_set)
        return;
    s->registry_services = settings_get_room(count, sizeof(*s->registry_services));
    for (; s->registry_service_count < count; s->registry_service_count++) {
        lua_rawgeti(L, -1, (int)s->registry_service_count + 1);
        s->registry_services[s->registry_service_count] =
            (struct registry_service){settings_get_text(L, "name"), settings_get_text(L, "service")};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void fill_registry(lua_State *L, struct settings *s)
{
    s->registry_tls_on = settings_get(L, "registry_tls.listen");
    if (s->registry_tls_on)
        settings_get_address(L, &s->registry_tls);
    s->registry_client_certificates = client_certificates(L, "registry_tls.client_certificates");
    s->registry_certificate = settings_get_text(L, "registry_tls.certificate");
    s->registry_key = settings_get_text(L, "registry_tls.key");
    s->registry_client_ca = settings_get_text(L, "registry_tls.client_ca");
}

void settings_fill_tls(lua_State *L, struct settings *s)
{
    fill_listeners(L, &s->tls);
    fill_authorities(L, s);
    fill_certificates(L, s);
    fill_services(L, s);
    fill_registry(L, s);
}
