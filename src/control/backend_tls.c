#include "control/backend_tls.h"

#include "base/log.h"
#include "base/map.h"
#include "base/need.h"
#include "base/sock.h"
#include "config/settings.h"
#include "control/config_set.h"
#include "control/control.h"
#include "control/session.h"
#include "tls/client_context.h"

#include <stdlib.h>

enum { KEY_SIZE = 160 };

struct backend_tls {
    struct settings *settings;
    struct map *by_choice; /* key_of to struct tls_client */
    struct tls_client *reporting[2]; /* the second for HTTP/2 */
};

/* What is offered: one version of HTTP, the one that the URL names. */
static struct slice alpn_of(bool http2)
{
    return http2 ? SLICE("\x02h2") : SLICE("\x08http/1.1");
}

/* Names have at most 64 bytes. */
static struct slice key_of(const struct backend_tls_choice *choice, bool http2, char key[KEY_SIZE])
{
    int len = snprintf(key, KEY_SIZE, "%d %d %d %s %s", http2, choice->verify, choice->denied, choice->authority ? choice->authority : "",
                       choice->certificate ? choice->certificate : "");

    CHECK(len > 0 && len < KEY_SIZE);
    return slice_of(key, (size_t)len);
}

static const struct tls_authority *find_authority(const struct settings *s, const char *name)
{
    for (unsigned i = 0; i < s->tls_authority_count; i++)
        if (strcmp(s->tls_authorities[i].name, name) == 0)
            return &s->tls_authorities[i];
    return NULL;
}

static const struct tls_certificate *find_certificate(const struct settings *s, const char *name)
{
    for (unsigned i = 0; i < s->tls_certificate_count; i++)
        if (strcmp(s->tls_certificates[i].name, name) == 0)
            return &s->tls_certificates[i];
    return NULL;
}

static bool find_files(const struct settings *s, const struct backend_tls_choice *choice, struct tls_client_files *files,
                       struct error *err)
{
    const struct tls_authority *authority = NULL;
    const struct tls_certificate *own = NULL;

    if (choice->authority && !(authority = find_authority(s, choice->authority)))
        return error_set(err, "tls_ca: the configuration has no backend_tls.authorities.%s", choice->authority);
    if (choice->certificate && !(own = find_certificate(s, choice->certificate)))
        return error_set(err, "tls_cert: the configuration has no backend_tls.certificates.%s", choice->certificate);
    if (choice->denied)
        return error_set(err, "tls_cert: backend_tls.certificates.%s is not for this service", choice->certificate);
    *files = (struct tls_client_files){
        .authorities = authority ? authority->file : NULL,
        .certificate = own ? own->certificate : NULL,
        .key = own ? own->key : NULL,
    };
    return true;
}

/* The context of a choice, made if need be; NULL: err says why not. */
static struct tls_client *client_of(struct backend_tls *tls, const struct backend_tls_choice *choice, bool http2,
                                    struct error *err)
{
    char text[KEY_SIZE];
    struct slice key = key_of(choice, http2, text);
    struct tls_client *client = map_get(tls->by_choice, key);
    struct tls_client_files files;

    if (client)
        return client;
    if (!find_files(tls->settings, choice, &files, err))
        return NULL;
    client = tls_client_new(&files, choice->verify ? TLS_VERIFY : TLS_VERIFY_REPORT, alpn_of(http2), err);
    if (client)
        (void)map_set(tls->by_choice, key, client);
    return client;
}

/* Everything that can be named is tried once, so that what is wrong with a file is told with the setting. */
static bool read_files(struct backend_tls *tls, struct error *err)
{
    const struct settings *s = tls->settings;
    struct error why;

    for (unsigned i = 0; i < s->tls_authority_count; i++) {
        struct backend_tls_choice choice = {.verify = true, .authority = s->tls_authorities[i].name};

        if (!client_of(tls, &choice, false, &why))
            return error_set(err, "backend_tls.authorities.%s: %s", choice.authority, why.text);
    }
    for (unsigned i = 0; i < s->tls_certificate_count; i++) {
        struct backend_tls_choice choice = {.verify = true, .certificate = s->tls_certificates[i].name};

        if (!client_of(tls, &choice, false, &why))
            return error_set(err, "backend_tls.certificates.%s: %s", choice.certificate, why.text);
    }
    return true;
}

struct backend_tls *backend_tls_new(struct settings *settings, struct error *err)
{
    struct backend_tls *tls = need_zeroed(1, sizeof(*tls));

    ASSERT_CONTROL();
    tls->settings = settings_ref(settings);
    tls->by_choice = map_new();
    if (read_files(tls, err))
        return tls;
    backend_tls_free(tls);
    return NULL;
}

void backend_tls_free(struct backend_tls *tls)
{
    size_t cursor = 0;
    void *client;

    ASSERT_CONTROL();
    if (!tls)
        return;
    while (map_next(tls->by_choice, &cursor, NULL, &client))
        tls_client_unref(client);
    map_free(tls->by_choice);
    tls_client_unref(tls->reporting[0]);
    tls_client_unref(tls->reporting[1]);
    settings_unref(tls->settings);
    free(tls);
}

static bool try(const struct tls_client_files *files, struct error *err)
{
    struct tls_client *client = tls_client_new(files, TLS_VERIFY, alpn_of(false), err);

    tls_client_unref(client);
    return client != NULL;
}

bool backend_tls_try_authorities(const char *file, struct error *err)
{
    return try(&(struct tls_client_files){.authorities = file}, err);
}

bool backend_tls_try_certificate(const char *certificate, const char *key, struct error *err)
{
    return try(&(struct tls_client_files){.certificate = certificate, .key = key}, err);
}

static const char *option(const struct config_set *set, const char *route_id, enum option_id id)
{
    return config_set_value(set, SCOPE_OPTIONS, route_id, option_table[id].key);
}

/* Routes of the configuration file are the operator's own. */
static bool is_for(const struct session *s, const char *name)
{
    const struct tls_certificate *own = name ? find_certificate(s->control->backend_tls->settings, name) : NULL;

    if (!own || !own->services_set || s->standing == SESSION_STATIC)
        return true;
    for (unsigned i = 0; i < own->service_count; i++) {
        if (strcmp(own->services[i], s->service) == 0)
            return true;
    }
    return false;
}

struct backend_tls_choice backend_tls_choose(const struct session *s, const struct config_set *set,
                                             const char *route_id)
{
    const char *verify = option(set, route_id, OPTION_TLS_VERIFY);
    struct backend_tls_choice choice = {
        .verify = !verify || strcmp(verify, "true") == 0,
        .authority = option(set, route_id, OPTION_TLS_CA),
        .certificate = option(set, route_id, OPTION_TLS_CERT),
        .server_name = option(set, route_id, OPTION_TLS_SERVER_NAME),
    };

    choice.denied = !is_for(s, choice.certificate);
    return choice;
}

static const char *copy_text(const char *text)
{
    char *copy = text ? need_text(text) : NULL;

    return copy;
}

struct backend_tls_choice backend_tls_copy(const struct backend_tls_choice *choice)
{
    return (struct backend_tls_choice){
        .verify = choice->verify,
        .authority = copy_text(choice->authority),
        .certificate = copy_text(choice->certificate),
        .server_name = copy_text(choice->server_name),
        .denied = choice->denied,
    };
}

void backend_tls_choice_fini(struct backend_tls_choice *copy)
{
    free((char *)copy->authority);
    free((char *)copy->certificate);
    free((char *)copy->server_name);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool backend_tls_equal(const struct backend_tls_choice *a, const struct backend_tls_choice *b)
{
    return a->verify == b->verify && a->denied == b->denied && same_text(a->authority, b->authority) &&
           same_text(a->certificate, b->certificate) && same_text(a->server_name, b->server_name);
}

struct slice backend_tls_name(const struct backend_tls_choice *choice, const struct url *url, bool *is_ip)
{
    struct slice name = choice->server_name ? slice_str(choice->server_name) : url->host;
    struct address ignored;

    *is_ip = address_parse_ip(name, 0, &ignored) == 0;
    if (name.len > 1 && name.data[name.len - 1] == '.')
        name.len--; /* certificates know no such dot */
    return name;
}

bool backend_tls_check(const struct session *s, const struct config_set *set, struct error *err)
{
    struct backend_tls *tls = s->control->backend_tls;
    struct list *node, *tmp;
    struct error why;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &set->routes) {
        const struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);
        struct backend_tls_choice choice;

        if (!url_is_tls(&route->url))
            continue;
        choice = backend_tls_choose(s, set, route->id);
        if (!client_of(tls, &choice, url_is_http2(&route->url), &why))
            return error_set(err, "route %s: %s", route->id, why.text);
    }
    return true;
}

static struct tls_client *nobody(struct backend_tls *tls, const struct backend_tls_choice *choice, bool http2,
                                 const char *why)
{
    struct error ignored;
    struct tls_client_files none = {0};
    char key[KEY_SIZE];
    struct tls_client *client = tls_client_new(&none, TLS_VERIFY_NOTHING, alpn_of(http2), &ignored);

    CHECK(client);
    log_write(LOG_ERROR, "backends cannot be verified, and are not used", "reason=\"%s\"", why);
    (void)map_set(tls->by_choice, key_of(choice, http2, key), client);
    return client;
}

struct tls_client *backend_tls_client(struct backend_tls *tls, const struct backend_tls_choice *choice, bool http2)
{
    struct tls_client *client;
    struct error why;

    ASSERT_CONTROL();
    if (choice) {
        client = client_of(tls, choice, http2, &why);
        return client ? client : nobody(tls, choice, http2, why.text);
    }
    if (!tls->reporting[http2]) {
        struct tls_client_files system = {0};

        tls->reporting[http2] = tls_client_new(&system, TLS_VERIFY_REPORT, alpn_of(http2), &why);
        CHECK(tls->reporting[http2]);
    }
    return tls->reporting[http2];
}
