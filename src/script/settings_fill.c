#include "script/settings_fill.h"

#include "base/need.h"
#include "control/config_check.h"
#include "control/config_set.h"
#include "script/settings_tls.h"

#include <lauxlib.h>
#include <stdlib.h>

/* Pushes the value of a dotted path; false and nothing pushed when it is not set. */
static bool push_setting(lua_State *L, const char *path)
{
    lua_getfield(L, -1, path);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static void push_needed(lua_State *L, const char *path)
{
    if (!push_setting(L, path))
        luaL_error(L, "lua/config/schema.lua lacks %s", path);
}

static uint64_t number_setting(lua_State *L, const char *path)
{
    lua_Number number;

    push_needed(L, path);
    number = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return (uint64_t)number;
}

static bool flag_setting(lua_State *L, const char *path)
{
    bool flag;

    push_needed(L, path);
    luaL_checktype(L, -1, LUA_TBOOLEAN);
    flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
}

/* The slice of the string at the top. */
static struct slice top_slice(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, -1, &len);

    return slice_of(text, len);
}

static char *copy(struct slice text)
{
    char *out = need_copy(text);

    return out;
}

/* A copy of a text, or NULL when it is not set. */
static char *text_setting(lua_State *L, const char *path)
{
    char *text;

    if (!push_setting(L, path))
        return NULL;
    text = copy(top_slice(L));
    lua_pop(L, 1);
    return text;
}

/* The index of a word among names. */
static unsigned word_setting(lua_State *L, const char *path, const char *const *names,
                             unsigned count)
{
    push_needed(L, path);
    for (unsigned i = 0; i < count; i++) {
        if (slice_eq(top_slice(L), slice_str(names[i]))) {
            lua_pop(L, 1);
            return i;
        }
    }
    luaL_error(L, "lua/config/schema.lua allows an unknown %s", path);
    return 0;
}

/* Pushes a list and tells its length; false and nothing pushed when it is not set. */
static bool push_list(lua_State *L, const char *path, unsigned *count)
{
    *count = 0;
    if (!push_setting(L, path))
        return false;
    luaL_checktype(L, -1, LUA_TTABLE);
    *count = (unsigned)lua_objlen(L, -1);
    return true;
}

static void fill_address(lua_State *L, struct address *out)
{
    if (address_parse(top_slice(L), out))
        luaL_error(L, "not an address: %s", lua_tostring(L, -1));
    lua_pop(L, 1);
}

/* The addresses of a setting, for free; NULL when it is not set. */
static struct address *addresses_setting(lua_State *L, const char *path, unsigned *count)
{
    struct address *list;

    if (!push_list(L, path, count))
        return NULL;
    list = need_zeroed(*count + 1, sizeof(*list));
    for (unsigned i = 0; i < *count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        fill_address(L, &list[i]);
    }
    lua_pop(L, 1);
    return list;
}

static void fill_listeners(lua_State *L, struct settings *s)
{
    s->http = addresses_setting(L, "http", &s->http_count);
    s->https = addresses_setting(L, "https", &s->https_count);
    push_needed(L, "registry");
    fill_address(L, &s->registry);
}

/* The ranges of a setting, for free; NULL when it is not set. */
static struct cidr *ranges_setting(lua_State *L, const char *path, unsigned *count)
{
    struct cidr *ranges;

    if (!push_list(L, path, count))
        return NULL;
    ranges = need_zeroed(*count + 1, sizeof(*ranges));
    for (unsigned i = 0; i < *count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        if (cidr_parse(top_slice(L), &ranges[i]))
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

/* A copy of the string at index i of the list at the top. */
static struct slice copy_item(lua_State *L, int i)
{
    struct slice text;

    lua_rawgeti(L, -1, i);
    text = top_slice(L);
    text.data = copy(text);
    lua_pop(L, 1);
    return text;
}

/* The texts of a setting's list. */
static struct slice *texts_setting(lua_State *L, const char *path, unsigned *count)
{
    struct slice *texts;

    if (!push_list(L, path, count))
        luaL_error(L, "lua/config/schema.lua lacks %s", path);
    texts = need_zeroed(*count + 1, sizeof(*texts));
    for (unsigned i = 0; i < *count; i++)
        texts[i] = copy_item(L, (int)i + 1);
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

    if (!push_list(L, "response_headers", &count))
        return;
    s->response_headers = need_zeroed(count + 1, sizeof(*s->response_headers));
    for (unsigned i = 0; i < count; i++) {
        struct header_value *header = &s->response_headers[i];

        lua_rawgeti(L, -1, (int)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        s->response_header_count++;
        header->name = copy_item(L, 1);
        header->value = copy_item(L, 2);
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

    if (!push_list(L, "resolver.servers", &count))
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
    s->resolver_servers = copy(top_slice(L));
    lua_pop(L, 2);
}

/* A copy of the text under a key of the table at the top; NULL: there is none. */
static char *text_under(lua_State *L, const char *key)
{
    char *text = NULL;

    lua_getfield(L, -1, key);
    if (!lua_isnil(L, -1))
        text = copy(top_slice(L));
    lua_pop(L, 1);
    return text;
}

static lua_Number number_field(lua_State *L, const char *key)
{
    lua_Number number;

    lua_getfield(L, -1, key);
    number = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return number;
}

/* The certificate at the top. */
static void fill_pair(lua_State *L, struct tls_pair *pair)
{
    unsigned count;

    pair->certificate = text_under(L, "certificate");
    pair->key = text_under(L, "key");
    pair->ocsp = text_under(L, "ocsp");
    pair->line = (int)number_field(L, "line");
    if (!push_list(L, "names", &count))
        return;
    pair->names = need_zeroed(count + 1, sizeof(*pair->names));
    for (; pair->name_count < count; pair->name_count++)
        pair->names[pair->name_count] = (char *)copy_item(L, (int)pair->name_count + 1).data;
    lua_pop(L, 1);
}

static void fill_tls(lua_State *L, struct tls_config *tls)
{
    static const char *const versions[] = {"1.2", "1.3"};
    static const char *const asks[] = {[TLS_CLIENT_CERTIFICATES_OFF] = "off",
                                       [TLS_CLIENT_CERTIFICATES_OPTIONAL] = "optional",
                                       [TLS_CLIENT_CERTIFICATES_REQUIRED] = "required"};
    unsigned count;

    tls->only_13 = word_setting(L, "tls.min_version", versions, 2) == 1;
    tls->client_certificates = (enum tls_client_certificates)word_setting(L, "tls.client_certificates", asks, 3);
    tls->client_ca = text_setting(L, "tls.client_ca");
    tls->ticket_rotation_ms = number_setting(L, "tls.ticket_rotation");
    tls->subject_header = slice_str(text_setting(L, "tls.subject_header"));
    tls->verify_header = slice_str(text_setting(L, "tls.verify_header"));
    tls->default_name = text_setting(L, "tls.default");
    tls->refuse_unknown = slice_eq(slice_str(tls->default_name), SLICE("refuse"));
    if (tls->refuse_unknown) {
        free(tls->default_name);
        tls->default_name = NULL;
    }
    if (!push_list(L, "tls.certificates", &count))
        return;
    tls->pairs = need_zeroed(count + 1, sizeof(*tls->pairs));
    for (; tls->pair_count < count; tls->pair_count++) {
        lua_rawgeti(L, -1, (int)tls->pair_count + 1);
        fill_pair(L, &tls->pairs[tls->pair_count]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void settings_fill(lua_State *L, struct settings *s)
{
    static const char *const unknown_hosts[] = {
        [UNKNOWN_HOST_404] = "404", [UNKNOWN_HOST_503] = "503", [UNKNOWN_HOST_CLOSE] = "close"};
    static const char *const redirects[] = {
        [REDIRECT_OFF] = "off", [REDIRECT_301] = "301", [REDIRECT_308] = "308"};
    static const char *const formats[] = {
        [ACCESS_OFF] = "off", [ACCESS_TEXT] = "text", [ACCESS_JSON] = "json"};

#define FILL_NUMBER(field, path) s->field = number_setting(L, path);
#define FILL_FLAG(field, path) s->field = flag_setting(L, path);
    SETTINGS_NUMBERS(FILL_NUMBER)
    SETTINGS_FLAGS(FILL_FLAG)
#undef FILL_NUMBER
#undef FILL_FLAG
    s->unknown_host = (enum unknown_host)word_setting(L, "unknown_host", unknown_hosts, 3);
    s->access_format = (enum access_format)word_setting(L, "access_log.format", formats, 3);
    s->redirect_https = (enum redirect_https)word_setting(L, "redirect_https", redirects, 3);
    s->acme_directory = text_setting(L, "acme.directory");
    s->access_file = text_setting(L, "access_log.file");
    s->log_level = text_setting(L, "log_level");
    s->registry_token = text_setting(L, "registry_token");
    s->scripts_dir = text_setting(L, "scripts");
    s->bypass_header = text_setting(L, "maintenance.bypass_header");
    s->bypass_secret = text_setting(L, "maintenance.bypass_secret");
    fill_listeners(L, s);
    fill_ranges(L, s);
    fill_headers(L, s);
    fill_compression(L, s);
    fill_servers(L, s);
    settings_fill_tls(L, s);
    fill_tls(L, &s->tls);
}

/* The string field of the table at the top, which keeps it alive. */
static struct slice text_field(lua_State *L, const char *key)
{
    struct slice text;

    lua_getfield(L, -1, key);
    text = top_slice(L);
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
    fields.priority = (int64_t)number_field(L, "priority");
    lua_getfield(L, -1, "domains");
    luaL_checktype(L, -1, LUA_TTABLE);
    fields.domain_count = (unsigned)lua_objlen(L, -1);
    if (fields.domain_count > ROUTE_DOMAINS_MAX) {
        lua_pop(L, 1);
        return error_set(err, "domains: more than %d", ROUTE_DOMAINS_MAX);
    }
    for (unsigned i = 0; i < fields.domain_count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        domains[i] = top_slice(L);
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

void settings_fill_routes(lua_State *L, struct config_set *set, const char *path, FILE *problems)
{
    int count = (int)lua_objlen(L, -1);
    char id[ROUTE_ID_SIZE];
    struct error err;

    for (int i = 1; i <= count; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        lua_rawgeti(L, -1, i);
        if (!add_route(L, set, id, &err) || !add_settings(L, set, id, &err))
            fprintf(problems, "%s%s:%d: routes.%d: %s", ftell(problems) > 0 ? "\n" : "", path,
                    (int)number_field(L, "line"), i, err.text);
        lua_pop(L, 1);
    }
}
