#include "tls/tls_config.h"

#include <stdlib.h>

void tls_config_fini(struct tls_config *config)
{
    for (unsigned i = 0; i < config->pair_count; i++) {
        struct tls_pair *pair = &config->pairs[i];

        for (unsigned n = 0; n < pair->name_count; n++)
            free(pair->names[n]);
        free(pair->names);
        free(pair->certificate);
        free(pair->key);
        free(pair->ocsp);
    }
    free(config->pairs);
    free(config->default_name);
    free(config->client_ca);
    free((char *)config->subject_header.data);
    free((char *)config->verify_header.data);
}
