#include "script/settings_fill.h"

#include "base/need.h"
#include "control/config_check.h"
#include "control/config_set.h"
#include "script/settings_get.h"
#include "script/settings_tls.h"

#include <lauxlib.h>
#include <string.h>

/* The addresses of a setting, for free; NULL when it is not set. */
static struct address *addresses_setting(lua_State *L, const char *path, unsigned *count)
{
    struct address *list;

    if (!settings_get_list(L, path, count))
        return NULL;
    list = settings_get_room(*count, sizeof(*list));
    for (unsigned i = 0; i < *count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        settings_get_address(L, &list[i]);
    }
    lua_pop(L, 1);
    return list;
}

static void fill_listeners(lua_State *L, struct settings *s)
{
    s->http = addresses_setting(L, "http", &s->http_count);
    s->https = addresses_setting(L, "https", &s->https_count);
    settings_get_needed(L, "registry");
    settings_get_address(L, &s->registry);
}

/* The ranges of a setting, for free; NULL when it is not set. */
static struct cidr *ranges_setting(lua_State *L, const char *path, unsigned *count)
{
    struct cidr *ranges;

    if (!settings_get_list(L, path, count))
        return NULL;
    ranges = settings_get_room(*count, sizeof(*ranges));
    for (unsigned i = 0; i < *count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        if (cidr_parse(settings_get_top(L), &ranges[i]))
            luaL_error(L, "not an address range: %s", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return ranges;
}

static void fill_ranges(lua_State *L, struct settings *s)
{
    s->trusted_proxies = ranges_setting(L, "trusted_proxies", &s->trusted_proxy_count);
    s->bypass_ranges = ranges_setting(L, "maintenance.bypass_addresses", &s->bypass_range_count);
}

/* The texts of a setting's list; NULL when it is not set. */
static struct slice *texts_setting(lua_State *L, const char *path, unsigned *count)
{
    struct slice *texts;

    if (!settings_get_list(L, path, count))
        return NULL;
    texts = settings_get_room(*count, sizeof(*texts));
    for (unsigned i = 0; i < *count; i++)
        texts[i] = settings_get_item(L, (int)i + 1);
    lua_pop(L, 1);
    return texts;
}

static void fill_compression(lua_State *L, struct settings *s)
{
    s->compress_types = texts_setting(L, "compression.types", &s->compress_type_count);
    s->compress_order = texts_setting(L, "compression.order", &s->compress_order_count);
}

static void fill_headers(lua_State *L, struct settings *s)
{
    unsigned count;

    if (!settings_get_list(L, "response_headers", &count))
        return;
    s->response_headers = settings_get_room(count, sizeof(*s->response_headers));
    for (unsigned i = 0; i < count; i++) {
        struct header_value *header = &s->response_headers[i];

        lua_rawgeti(L, -1, (int)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        s->response_header_count++;
        header->name = settings_get_item(L, 1);
        header->value = settings_get_item(L, 2);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The servers as c-ares reads them: joined by commas. */
static void fill_servers(lua_State *L, struct settings *s)
{
    luaL_Buffer buffer;
    unsigned count;
    int list;

    if (!settings_get_list(L, "resolver.servers", &count))
        return;
    list = lua_gettop(L);
    luaL_buffinit(L, &buffer);
    for (unsigned i = 1; i <= count; i++) {
        if (i > 1)
            luaL_addchar(&buffer, ',');
        lua_rawgeti(L, list, (int)i);
        luaL_addvalue(&buffer);
    }
    luaL_pushresult(&buffer);
    s->resolver_servers = need_text(lua_tostring(L, -1));
    lua_pop(L, 2);
}

void settings_fill(lua_State *L, struct settings *s)
{
    static const char *const unknown_hosts[] = {
        [UNKNOWN_HOST_404] = "404", [UNKNOWN_HOST_503] = "503", [UNKNOWN_HOST_CLOSE] = "close"};
    static const char *const redirects[] = {
        [REDIRECT_OFF] = "off", [REDIRECT_301] = "301", [REDIRECT_308] = "308"};
    static const char *const formats[] = {
        [ACCESS_OFF] = "off", [ACCESS_TEXT] = "text", [ACCESS_JSON] = "json"};

#define FILL_NUMBER(field, path) s->field = (uint64_t)settings_get_number(L, path);
#define FILL_FLAG(field, path) s->field = settings_get_flag(L, path);
    SETTINGS_NUMBERS(FILL_NUMBER)
    SETTINGS_FLAGS(FILL_FLAG)
#undef FILL_NUMBER
#undef FILL_FLAG
    s->unknown_host = (enum unknown_host)settings_get_word(L, "unknown_host", unknown_hosts, 3);
    s->access_format = (enum access_format)settings_get_word(L, "access_log.format", formats, 3);
    s->redirect_https = (enum redirect_https)settings_get_word(L, "redirect_https", redirects, 3);
    s->acme_directory = settings_get_text(L, "acme.directory");
    s->access_file = settings_get_text(L, "access_log.file");
    s->log_level = settings_get_text(L, "log_level");
    s->registry_token = settings_get_text(L, "registry_token");
    s->scripts_dir = settings_get_text(L, "scripts");
    s->user = settings_get_text(L, "user");
    s->group = settings_get_text(L, "group");
    s->sandbox_paths = texts_setting(L, "sandbox_paths", &s->sandbox_path_count);
    s->bypass_header = settings_get_text(L, "maintenance.bypass_header");
    s->bypass_secret = settings_get_text(L, "maintenance.bypass_secret");
    fill_listeners(L, s);
    fill_ranges(L, s);
    fill_headers(L, s);
    fill_compression(L, s);
    fill_servers(L, s);
    settings_fill_tls(L, s);
}

/* The string field of the table at the top, which keeps it alive. */
static struct slice text_field(lua_State *L, const char *key)
{
    struct slice text;

    lua_getfield(L, -1, key);
    text = settings_get_top(L);
    lua_pop(L, 1);
    return text;
}

/* Adds the route at the top, without its settings. */
static bool add_route(lua_State *L, struct config_set *set, const char *id, struct error *err)
{
    struct slice domains[ROUTE_DOMAINS_MAX];
    struct route_fields fields = {.domains = domains};

    fields.path = text_field(L, "path");
    fields.backend_url = text_field(L, "backend_url");
    fields.priority = (int64_t)settings_get_number(L, "priority");
    lua_getfield(L, -1, "domains");
    luaL_checktype(L, -1, LUA_TTABLE);
    fields.domain_count = (unsigned)lua_objlen(L, -1);
    if (fields.domain_count > ROUTE_DOMAINS_MAX) {
        lua_pop(L, 1);
        return error_set(err, "domains: more than %d", ROUTE_DOMAINS_MAX);
    }
    for (unsigned i = 0; i < fields.domain_count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        domains[i] = settings_get_top(L);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return config_set_add_route(set, id, &fields, err);
}

static enum scope scope_named(lua_State *L, struct slice name)
{
    for (int i = 0; i < SCOPES; i++) {
        if (slice_eq(name, slice_str(scope_names[i])))
            return (enum scope)i;
    }
    luaL_error(L, "lua/config/routes.lua has an unknown scope");
    return SCOPES;
}

/* Adds the settings of the route at the top. */
static bool add_settings(lua_State *L, struct config_set *set, const char *id, struct error *err)
{
    bool ok = true;
    int count;

    lua_getfield(L, -1, "settings");
    luaL_checktype(L, -1, LUA_TTABLE);
    count = (int)lua_objlen(L, -1);
    for (int i = 1; ok && i <= count; i++) {
        lua_rawgeti(L, -1, i);
        ok = config_set_put(set, scope_named(L, text_field(L, "scope")), slice_str(id),
                            text_field(L, "key"), text_field(L, "value"), err);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return ok;
}

/* The line of the route at the top. */
static int line_of_route(lua_State *L, int line_of)
{
    int line;

    lua_pushvalue(L, line_of);
    lua_getfield(L, -2, "at");
    lua_call(L, 1, 1);
    line = (int)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return line;
}

void settings_fill_routes(lua_State *L, struct config_set *set, int line_of, const char *path, FILE *problems)
{
    int count = (int)lua_objlen(L, -1);
    char id[ROUTE_ID_SIZE];
    struct error err;

    for (int i = 1; i <= count; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        lua_rawgeti(L, -1, i);
        if (!add_route(L, set, id, &err) || !add_settings(L, set, id, &err))
            fprintf(problems, "%s%s:%d: routes.%d: %s", ftell(problems) > 0 ? "\n" : "", path,
                    line_of_route(L, line_of), i, err.text);
        lua_pop(L, 1);
    }
}
