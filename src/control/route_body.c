#include "control/route_body.h"

#include "base/need.h"
#include "control/config_check.h"
#include "http/path.h"

#include <stdlib.h>

/* What a body is made from, once it was checked. */
struct parts {
    struct slice *domains; /* into names */
    char (*names)[DOMAIN_SIZE];
    unsigned domain_count;
    struct slice path, form, backend_url;
    char form_text[PATH_LENGTH_MAX + 1];
};

static bool add_domain(struct parts *parts, struct slice text, struct error *err)
{
    char *name = parts->names[parts->domain_count];
    struct slice domain;

    if (!config_check_domain(slice_trim(text), name, err))
        return false;
    domain = slice_str(name);
    for (unsigned i = 0; i < parts->domain_count; i++) {
        if (slice_eq(parts->domains[i], domain))
            return error_set(err, "domains: %s is named twice", name);
    }
    parts->domains[parts->domain_count++] = domain;
    return true;
}

static bool check_domains(struct parts *parts, const struct route_fields *fields, struct error *err)
{
    if (fields->domain_count == 0)
        return error_set(err, "domains: at least one is needed");
    if (fields->domain_count > ROUTE_DOMAINS_MAX)
        return error_set(err, "domains: more than %d", ROUTE_DOMAINS_MAX);
    parts->names = need(fields->domain_count * sizeof(*parts->names));
    parts->domains = need(fields->domain_count * sizeof(*parts->domains));
    for (unsigned i = 0; i < fields->domain_count; i++) {
        if (!add_domain(parts, fields->domains[i], err))
            return false;
    }
    return true;
}

/* The path, and the form in which requests are matched. */
static bool check_path(struct parts *parts, struct slice path, struct error *err)
{
    struct path_result form;

    parts->path = parts->form = path;
    if (!config_check_path("path", path, err))
        return false;
    switch (path_normalise(path, parts->form_text, &form)) {
    case PATH_REFUSED:
        return error_set(err, "invalid path: %s", form.error);
    case PATH_MADE:
        parts->form = slice_of(parts->form_text, form.len);
        break;
    case PATH_PLAIN:
        break;
    }
    return true;
}

static char *put(char **at, struct slice text)
{
    char *start = *at;

    memcpy(start, text.data, text.len);
    start[text.len] = '\0';
    *at += text.len + 1;
    return start;
}

static size_t size_of(const struct parts *parts)
{
    size_t size = sizeof(struct route_body), place = parts->form.len + parts->backend_url.len + 3;

    size += parts->path.len + parts->form.len + parts->backend_url.len + 3;
    for (unsigned i = 0; i < parts->domain_count; i++)
        size += sizeof(char *) + sizeof(struct slice) + 2 * parts->domains[i].len + 1 + place;
    return size;
}

/* Domain, form and backend on a line each. */
static struct slice put_place(char **at, const struct parts *parts, struct slice domain)
{
    char *start = *at;
    struct slice place = config_set_place(start, domain, parts->form);

    start[place.len] = '\n';
    *at += place.len + 1;
    (void)put(at, parts->backend_url);
    return slice_of(start, (size_t)(*at - start) - 1);
}

static struct route_body *build(const struct parts *parts)
{
    struct route_body *body = need(size_of(parts));
    char *at;

    body->refs = 1;
    body->domain_count = parts->domain_count;
    body->places = (struct slice *)(body + 1);
    body->domains = (char **)(body->places + parts->domain_count);
    at = (char *)(body->domains + parts->domain_count);
    body->path = put(&at, parts->path);
    body->form = put(&at, parts->form);
    body->backend_url = put(&at, parts->backend_url);
    for (unsigned i = 0; i < parts->domain_count; i++) {
        body->domains[i] = put(&at, parts->domains[i]);
        body->places[i] = put_place(&at, parts, parts->domains[i]);
    }
    CHECK((size_t)(at - (char *)body) <= size_of(parts));
    return body;
}

struct route_body *route_body_new(const struct route_fields *fields, struct error *err)
{
    struct parts parts = {.backend_url = fields->backend_url};
    struct route_body *body = NULL;
    struct url url;

    if (check_domains(&parts, fields, err) && check_path(&parts, fields->path, err) &&
        config_check_backend(fields->backend_url, &url, err)) {
        body = build(&parts);
        CHECK(url_parse(slice_str(body->backend_url), &body->url, err));
    }
    free(parts.names);
    free(parts.domains);
    return body;
}

struct route_body *route_body_ref(struct route_body *body)
{
    CHECK(body->refs > 0);
    body->refs++;
    return body;
}

void route_body_unref(struct route_body *body)
{
    if (!body)
        return;
    CHECK(body->refs > 0);
    if (--body->refs == 0)
        free(body);
}
