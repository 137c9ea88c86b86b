#include "control/certificates_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "control/cli.h"
#include "control/control.h"
#include "tls/pem_file.h"

#include <stdlib.h>

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ms() / 1000);
}

void certificate_list_free(struct certificate_list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        certificate_unref(list->of[i]);
    free(list->of);
    free(list->client_ca);
    *list = (struct certificate_list){0};
}

/* What a pair has had so far; NULL: it is new. */
static struct certificate *before(const struct control *c, const struct tls_pair *pair)
{
    const struct certificate_list *list = &c->certificates->list;
    const struct tls_config *config = &c->settings->tls;

    for (unsigned i = 0; i < list->count; i++)
        if (!strcmp(config->pairs[i].certificate, pair->certificate) && !strcmp(config->pairs[i].key, pair->key))
            return list->of[i];
    return NULL;
}

static bool in_force(const struct certificate *c)
{
    return c->not_before_s <= now_s() && now_s() < c->not_after_s;
}

/* A certificate that is out of date takes no other one's place that is not. */
static bool check_dates(const struct certificate *new, const struct certificate *old, struct error *err)
{
    char text[CLOCK_TEXT_SIZE];

    if (!old || in_force(new) || !in_force(old))
        return true;
    if (new->not_after_s <= now_s()) {
        clock_format_s(text, (uint64_t)new->not_after_s * 1000);
        return error_set(err, "%s: has expired at %s", new->file, text);
    }
    clock_format_s(text, (uint64_t)new->not_before_s * 1000);
    return error_set(err, "%s: is good from %s on only; set the clock right or wait", new->file, text);
}

/* Files and names as they were: the old one goes on, with what was told of it. */
static bool is_same(const struct certificate *a, const struct certificate *b)
{
    if (memcmp(a->digest, b->digest, DIGEST_SHA256_SIZE) != 0 || a->name_count != b->name_count)
        return false;
    for (unsigned i = 0; i < a->name_count; i++)
        if (strcmp(a->names[i], b->names[i]) != 0)
            return false;
    return true;
}

/* What a pair has from now on: what its files hold, else what it had. NULL: neither, err. */
static struct certificate *load(const struct control *c, const struct tls_pair *pair, struct error *err)
{
    struct certificate *old = before(c, pair), *new = certificate_load(pair, err);

    if (new && old && is_same(new, old)) {
        certificate_unref(new);
        return certificate_ref(old);
    }
    if (new && check_dates(new, old, err))
        return new;
    certificate_unref(new);
    if (!old)
        return NULL;
    log_write(LOG_ERROR, "certificate refused, the one before stays", "reason=\"%s\"", err->text);
    return certificate_ref(old);
}

/* Says where the configuration names what was refused. */
static bool refuse_pair(const struct control *c, const struct tls_config *config, unsigned i, struct error *err)
{
    struct error why = *err;

    return error_set(err, "%s:%d: tls.certificates[%u]: %s", c->cli->config_path, config->pairs[i].line, i + 1,
                     why.text);
}

static bool load_pairs(const struct control *c, const struct tls_config *config, struct certificate_list *out,
                       struct error *err)
{
    out->of = need_zeroed(config->pair_count + 1, sizeof(struct certificate *));
    for (; out->count < config->pair_count; out->count++) {
        out->of[out->count] = load(c, &config->pairs[out->count], err);
        if (!out->of[out->count])
            return refuse_pair(c, config, out->count, err);
    }
    return true;
}

/* The text of a file with authorities; NULL: err. */
static char *read_client_ca(const char *path, size_t *len, struct error *err)
{
    char *text = pem_file_read(path, len, err);

    if (text && pem_file_check(path, text, *len, err))
        return text;
    free(text);
    return NULL;
}

/* As for pairs: what the file holds, else what it held. */
static bool load_client_ca(const struct control *c, const struct tls_config *config, struct certificate_list *out,
                           struct error *err)
{
    const struct certificate_list *old = &c->certificates->list;
    const char *before = old->client_ca ? c->settings->tls.client_ca : NULL;

    if (config->client_certificates == TLS_CLIENT_CERTIFICATES_OFF)
        return true;
    out->client_ca = read_client_ca(config->client_ca, &out->client_ca_len, err);
    if (out->client_ca || !before || strcmp(before, config->client_ca) != 0)
        return out->client_ca != NULL;
    log_write(LOG_ERROR, "tls.client_ca refused, the one before stays", "reason=\"%s\"", err->text);
    out->client_ca = need(old->client_ca_len + 1);
    memcpy(out->client_ca, old->client_ca, old->client_ca_len + 1);
    out->client_ca_len = old->client_ca_len;
    return true;
}

bool certificate_list_load(const struct control *c, const struct tls_config *config, struct certificate_list *out,
                           struct error *err)
{
    *out = (struct certificate_list){0};
    if (load_pairs(c, config, out, err) && load_client_ca(c, config, out, err))
        return true;
    certificate_list_free(out);
    return false;
}

bool certificate_list_same(const struct certificate_list *a, const struct certificate_list *b)
{
    for (unsigned i = 0; i < a->count && a->count == b->count; i++)
        if (a->of[i] != b->of[i])
            return false;
    return a->count == b->count &&
           slice_eq(slice_of(a->client_ca, a->client_ca_len), slice_of(b->client_ca, b->client_ca_len));
}
