#include "config/settings.h"

#include "base/need.h"
#include "base/secret.h"

#include <stdlib.h>

struct settings *settings_new(void)
{
    struct settings *s = need_zeroed(1, sizeof(*s));

    s->refs = 1;
    return s;
}

struct settings *settings_ref(struct settings *s)
{
    CHECK(s->refs > 0);
    s->refs++;
    return s;
}

static void free_texts(struct slice *texts, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        free((char *)texts[i].data);
    free(texts);
}

void settings_unref(struct settings *s)
{
    if (!s)
        return;
    CHECK(s->refs > 0);
    if (--s->refs > 0)
        return;
    for (unsigned i = 0; i < s->response_header_count; i++) {
        free((char *)s->response_headers[i].name.data);
        free((char *)s->response_headers[i].value.data);
    }
    for (unsigned i = 0; i < s->tls_authority_count; i++) {
        free(s->tls_authorities[i].name);
        free(s->tls_authorities[i].file);
    }
    for (unsigned i = 0; i < s->tls_certificate_count; i++) {
        free(s->tls_certificates[i].name);
        free(s->tls_certificates[i].certificate);
        free(s->tls_certificates[i].key);
        for (unsigned j = 0; j < s->tls_certificates[i].service_count; j++)
            free(s->tls_certificates[i].services[j]);
        free(s->tls_certificates[i].services);
    }
    for (unsigned i = 0; i < s->registry_service_count; i++) {
        free(s->registry_services[i].name);
        free(s->registry_services[i].service);
    }
    free(s->registry_services);
    free(s->registry_certificate);
    free(s->registry_key);
    free(s->registry_client_ca);
    free(s->tls_authorities);
    free(s->tls_certificates);
    free(s->response_headers);
    free_texts(s->sandbox_paths, s->sandbox_path_count);
    free(s->user);
    free(s->group);
    free_texts(s->compress_types, s->compress_type_count);
    free_texts(s->compress_order, s->compress_order_count);
    free(s->trusted_proxies);
    free(s->bypass_ranges);
    free(s->bypass_header);
    secret_free(s->bypass_secret);
    free(s->http);
    free(s->https);
    tls_config_fini(&s->tls);
    free(s->acme_directory);
    free(s->access_file);
    free(s->log_level);
    secret_free(s->registry_token);
    free(s->scripts_dir);
    free(s->resolver_servers);
    free(s);
}
